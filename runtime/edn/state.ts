import { WatError } from '../error.ts'
import { MAX_DEPTH } from './depth.ts'
import { IN_VECTOR, SKIP_TOP, SKIPPED, TAG, TOP } from './frames.ts'
import { READY, TO_NEXT_LINE } from './modes.ts'
import { qualify } from './objects.ts'
import type { ReaderOptions } from './options.ts'
import type { Position } from './position.ts'
import { Source } from './source.ts'
import { StringScan } from './strings.ts'
import { overCap } from './too-large.ts'
import { TagReaders } from './tag-readers.ts'
import { type Head, headOf, headOfForm } from './head.ts'
import type { OneLine } from './one-line.ts'
import { Tagged } from './values.ts'

export const MAX_HELD_WHILE_SKIPPING_UNITS = 64
const MAX_FRAMES_KEPT = 1024
const MAX_VALUES_KEPT = 4096

/** Where reading stands between two texts, and what happens off the hot path. */
export class ReaderState {
  value: unknown = undefined
  /** Bytes of input up to the end of the last value or, behind it, of what is no form. */
  taken = 0
  /** The current text is used up. */
  spent = true
  mode = READY
  inForm = false
  depth = 0
  // The stack: an entry per frame.
  kinds: number[] = [TOP]
  held: any[] = [undefined] // the container, or the tag
  keys: any[] = [undefined] // the key whose value is being read
  masks: number[] = [0] // a bit set for every key that may be in the object
  bases: number[] = [0] // where the frame's values begin
  values: unknown[] = [undefined] // the items and fields of all vectors and maps that are not closed
  count = 0 // how many there are
  mostValues = 0 // how many there have been in this form

  readonly source = new Source()
  readonly string = new StringScan()
  readonly maxDepth: number
  /** Set where each form must have a line to itself. */
  lines: OneLine | undefined
  /** Where the token started, if in an earlier text. */
  tokenAt: Position | undefined
  private readonly maxFrame: number
  private readonly tags: TagReaders
  // Where the current text has the top-level form, and how many bytes of it came before.
  private formPos = 0
  private formBytes = 0

  constructor(options: ReaderOptions | undefined) {
    const { maxFrame = Infinity, maxDepth = MAX_DEPTH } = options ?? {}
    this.maxFrame = maxFrame
    this.maxDepth = maxDepth
    // The head of the frame stands before it, complete.
    this.tags = new TagReaders(options, () => [this.held[1], this.values[1]])
  }

  /** Starts afresh with a text that is all there is. */
  only(text: string): void {
    this.source.only(text)
    this.spent = false
    this.mode = READY
  }

  /** Where the top-level form started, if in the current text. */
  formPlace(): Position {
    return this.source.locate(this.formPos)
  }

  /** A top-level form starts. Returns where to stop in the current text. */
  formStarts(pos: number): number {
    if (this.lines?.crowded(this.source.text, pos)) this.fail('two forms on one line', pos, pos)
    this.inForm = true
    this.formPos = pos
    this.formBytes = 0
    return this.limit()
  }

  /** Where to stop in the current text: at its end, or where the form is over the cap. */
  limit(): number {
    const { length } = this.source.text
    if (this.maxFrame === Infinity || !this.inForm || this.kinds[0] === SKIP_TOP) return length
    return Math.min(length, this.formPos + this.maxFrame + 1 - this.formBytes)
  }

  /** Whether an atom that reaches the end of what may be looked at can go on behind it. */
  open(end: number): boolean {
    return !this.source.last || end < this.source.text.length
  }

  /** The top-level form is complete. True if it has a value to give. */
  formEnds(kind: number, value: unknown, pos: number): boolean {
    const { source } = this
    const lf = this.lines === undefined ? -1 : this.lines.ends(source.text, this.formPos, pos)
    if (lf !== -1) this.failAtLineFeed(lf, headOfForm(value))
    const over =
      kind === TOP &&
      this.formBytes + (pos - this.formPos) * 3 > this.maxFrame &&
      this.formBytes + source.bytesIn(this.formPos, pos) > this.maxFrame
    source.pos = pos
    this.taken = source.bytesAt(pos)
    this.endForm()
    if (over) throw overCap(this.maxFrame, source.locate(pos), undefined)
    this.value = value
    return kind === TOP
  }

  /** The form was a discard. */
  formDropped(pos: number): void {
    this.checkLine(pos)
    this.endForm()
  }

  /** The form is over but has no value: it was a discard, or is skipped. */
  endForm(): void {
    this.inForm = false
    this.depth = 0
    this.forgetValues()
    if (this.kinds.length > MAX_FRAMES_KEPT) {
      this.kinds.length = this.held.length = this.keys.length = this.masks.length = this.bases.length = 1
    }
    this.kinds[0] = TOP
    this.held[0] = undefined
    this.keys[0] = undefined
    this.masks[0] = 0
  }

  /** There is another text, or more of this one. */
  textStarts(): void {
    this.spent = false
    if (this.inForm) this.formPos = 0
  }

  /** The current text is used up. */
  textSpent(): void {
    const { source } = this
    if (!this.inForm) {
      this.lines?.spent(source.text)
      this.taken = source.bytesBefore + source.bytesIn(0, source.pos)
      return
    }
    this.checkLine(source.text.length)
    this.formBytes += source.bytesIn(this.formPos, source.pos)
    this.formPos = source.text.length // nothing of it is looked at again
    this.checkCap()
  }

  /** Throws `too-large`; from here on the rest of the form is read, but not kept. */
  tooLarge(): never {
    const { source, kinds } = this
    this.checkLine(source.pos)
    const head = this.head()
    for (let i = 0; i <= this.depth; i++) {
      kinds[i] = SKIPPED[kinds[i]!]!
      this.held[i] = this.keys[i] = undefined
    }
    this.mostValues = this.values.length
    this.forgetValues()
    this.string.forget()
    if (this.lines !== undefined) this.skipLine()
    throw overCap(this.maxFrame, source.locate(Math.min(source.text.length, source.pos)), head)
  }

  /** What the tag makes of the value. */
  tagged(tag: string, value: unknown, start: number, pos: number): unknown {
    const read = this.tags.of(tag)
    if (read === undefined && tag.charCodeAt(0) !== 58) return new Tagged(tag, value)
    try {
      return read === undefined ? qualify(tag.slice(1), value) : read(value)
    } catch (cause) {
      this.fail(`the value of #${tag} cannot be read`, start, pos, false, cause)
    }
  }

  /** Throws `malformed` if the form has gone over the end of its line before `pos`; reading goes on behind that. */
  private checkLine(pos: number): void {
    if (this.lines === undefined) return
    const lf = this.source.text.indexOf('\n', this.formPos)
    if (lf !== -1 && lf < pos) this.failAtLineFeed(lf)
  }

  private failAtLineFeed(lf: number, head = this.head()): never {
    this.spent = false
    this.source.lookAgain()
    this.fail('a form that does not end on its line', lf, lf, false, undefined, head)
  }

  /** Reading goes on behind the next line feed. */
  private skipLine(): void {
    this.mode = TO_NEXT_LINE
    this.held.fill(undefined)
    this.keys.fill(undefined)
    this.mostValues = this.values.length
    this.endForm()
    this.string.reset()
    this.lines?.skips()
  }

  /** Throws `malformed`. Reading goes on behind the first line feed from `pos` on. `at` -1: at `tokenAt`. */
  fail(
    problem: string,
    at: number,
    pos: number,
    incomplete = false,
    cause?: unknown,
    head = this.head(),
  ): never {
    const { source } = this
    if (this.inForm) this.checkLine(pos)
    const place = at === -1 ? this.tokenAt! : source.locate(at)
    source.pos = pos
    this.skipLine()
    this.taken = source.bytesAt(pos)
    const data = { ...place, ...(incomplete && { incomplete }), ...(head && { head }) }
    throw new WatError('malformed', `${problem} (line ${place.line}, column ${place.column})`, {
      data,
      ...(cause !== undefined && { cause }),
    })
  }

  /** They must not stay alive until others take their place. */
  private forgetValues(): void {
    const { values, mostValues } = this
    if (values.length > MAX_VALUES_KEPT) values.length = 1
    for (let i = 0; i < mostValues && i < values.length; i++) values[i] = undefined
    this.count = this.mostValues = 0
  }

  /** Throws `too-large` if what has come of the form is more than it may take. */
  checkCap(): void {
    if (this.kinds[0] !== SKIP_TOP && this.formBytes + this.source.waiting > this.maxFrame) this.tooLarge()
  }

  private head(): Head | undefined {
    const [, tag, vector, inside] = this.held as unknown[]
    if (this.kinds[1] !== TAG || this.kinds[2] !== IN_VECTOR || vector === undefined) return undefined
    // What is inside of it may be the first item, and what stands there one of its own.
    return headOf(tag, inside === undefined || this.bases[3]! > 0 ? this.values[0] : undefined)
  }
}
