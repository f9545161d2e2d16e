import { WatError } from '../error.ts'
import { MAX_DEPTH } from './depth.ts'
import { DISCARD, IN_VECTOR, SKIP_TAG, SKIP_TOP, SKIPPED, TAG, TOP } from './frames.ts'
import { atomEnd } from './names.ts'
import { IN_SKIPPED_ATOM, IN_SKIPPED_TAG, IN_STRING, READY, TO_NEXT_LINE } from './modes.ts'
import { qualify } from './objects.ts'
import type { ReaderOptions } from './options.ts'
import { type Position, Source } from './source.ts'
import { CLOSED, MORE, StringScan } from './strings.ts'
import { tagReader, type TagReader } from './tags.ts'
import { Tagged } from './values.ts'

export const MAX_HELD_WHILE_SKIPPING_UNITS = 64
const MAX_FRAMES_KEPT = 1024
const MAX_VALUES_KEPT = 4096
const HASH = 35

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
  /** Where the token started, if in an earlier text. */
  tokenAt: Position | undefined
  private readonly maxFrame: number
  private readonly tags: ReadonlyMap<string, TagReader> | undefined
  private readonly dereference: TagReader | undefined
  // Where the current text has the top-level form, and how many bytes of it came before.
  private formPos = 0
  private formBytes = 0

  constructor(options: ReaderOptions | undefined) {
    const { tags, dereference, maxFrame = Infinity, maxDepth = MAX_DEPTH } = options ?? {}
    this.maxFrame = maxFrame
    this.maxDepth = maxDepth
    // The head of the frame stands before it, complete.
    if (dereference) this.dereference = number => dereference(number, this.held[1], this.values[1])
    this.tags = tags === undefined || tags instanceof Map ? tags : new Map(Object.entries(tags))
  }

  /** Starts afresh with a text that is all there is. */
  only(text: string): void {
    this.source.only(text)
    this.spent = false
    this.mode = READY
  }

  /** Where reading stands. */
  place(): Position {
    return this.source.locate(this.source.pos)
  }

  /** Where the top-level form started, if in the current text. */
  formPlace(): Position {
    return this.source.locate(this.formPos)
  }

  /** A top-level form starts. Returns where to stop in the current text. */
  formStarts(pos: number): number {
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
    const over =
      kind === TOP && this.formBytes + (pos - this.formPos) * 3 > this.maxFrame && this.formIsOver(pos)
    source.pos = pos
    this.taken = source.bytesAt(pos)
    this.endForm()
    if (over) throw this.overCap(pos, undefined)
    this.value = value
    return kind === TOP
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

  /** Goes on with what the text before ended in. True: a string is complete, in `value`. */
  resume(end: number): boolean {
    const { source, mode } = this
    const { text, pos } = source
    if (mode === IN_STRING) {
      const stop = this.string.scan(source, pos, pos, end, this.kinds[this.depth]! < DISCARD)
      source.pos = this.string.at
      if (stop === MORE) return false
      if (stop !== CLOSED) this.fail(this.string.problem, source.pos, source.pos)
      this.value = this.string.take()
    } else if (mode === IN_SKIPPED_ATOM || mode === IN_SKIPPED_TAG) {
      source.pos = atomEnd(text, pos, end)
      if (source.pos === end && this.open(end)) return false
      this.value = undefined
    } else {
      const lf = text.indexOf('\n', pos)
      source.pos = lf === -1 || lf >= end ? end : lf + 1
      if (lf === -1 || lf >= end) return false
    }
    this.mode = READY
    return mode === IN_STRING || mode === IN_SKIPPED_ATOM
  }

  /** The current text is used up. */
  textSpent(): void {
    const { source } = this
    if (!this.inForm) {
      this.taken = source.bytesBefore + source.bytesIn(0, source.pos)
      return
    }
    this.formBytes += source.bytesIn(this.formPos, source.pos)
    this.formPos = 0
    this.checkCap()
  }

  /** No text is left: is that all right? */
  waitOrEnd(): void {
    const { source } = this
    if (this.inForm) this.checkCap()
    if (this.kinds[0] === SKIP_TOP && source.waiting > MAX_HELD_WHILE_SKIPPING_UNITS) {
      const isTag =
        source.text.charCodeAt(source.pos) === HASH && source.text.charCodeAt(source.pos + 1) !== HASH
      source.drop()
      this.mode = isTag ? IN_SKIPPED_TAG : IN_SKIPPED_ATOM
      if (isTag) this.kinds[++this.depth] = SKIP_TAG // its value is still to come, and to be skipped
    }
    if (source.last && this.inForm)
      this.fail('the input ends inside a form', source.text.length, source.text.length, true)
  }

  /** Throws `too-large`; from here on the rest of the form is read, but not kept. */
  tooLarge(): never {
    const { source, kinds } = this
    const head = this.head()
    for (let i = 0; i <= this.depth; i++) {
      kinds[i] = SKIPPED[kinds[i]!]!
      this.held[i] = this.keys[i] = undefined
    }
    this.mostValues = this.values.length
    this.forgetValues()
    this.string.forget()
    throw this.overCap(Math.min(source.text.length, source.pos), head)
  }

  /** What the tag makes of the value. */
  tagged(tag: string, value: unknown, start: number, pos: number): unknown {
    const read = tag === 'wat/ref' ? this.dereference : (this.tags?.get(tag) ?? tagReader(tag))
    if (read === undefined && tag.charCodeAt(0) !== 58) return new Tagged(tag, value)
    try {
      return read === undefined ? qualify(tag.slice(1), value) : read(value)
    } catch (cause) {
      this.fail(`the value of #${tag} cannot be read`, start, pos, false, cause)
    }
  }

  /** Throws `malformed`. Reading goes on behind the first line feed from `pos` on. `at` -1: at `tokenAt`. */
  fail(problem: string, at: number, pos: number, incomplete = false, cause?: unknown): never {
    const { source } = this
    const place = at === -1 ? this.tokenAt! : source.locate(at)
    const head = this.head()
    source.pos = pos
    this.mode = TO_NEXT_LINE
    this.held.fill(undefined)
    this.keys.fill(undefined)
    this.mostValues = this.values.length
    this.endForm()
    this.string.reset()
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

  private checkCap(): void {
    if (this.kinds[0] !== SKIP_TOP && this.formBytes + this.source.waiting > this.maxFrame) this.tooLarge()
  }

  private formIsOver(pos: number): boolean {
    return this.formBytes + this.source.bytesIn(this.formPos, pos) > this.maxFrame
  }

  private overCap(pos: number, head: object | undefined): WatError {
    const place = this.source.locate(pos)
    return new WatError('too-large', `a form of more than ${this.maxFrame} bytes (line ${place.line})`, {
      data: { maxFrame: this.maxFrame, ...place, ...(head && { head }) },
    })
  }

  // `#tag [7 …`: enough to tell whoever waits for 7.
  private head(): { tag: string; id: number } | undefined {
    const [, tag, vector, inside] = this.held as unknown[]
    if (this.kinds[1] !== TAG || this.kinds[2] !== IN_VECTOR || vector === undefined) return undefined
    // What is inside of it may be the first item, and what stands there one of its own.
    const id = inside === undefined || this.bases[3]! > 0 ? this.values[0] : undefined
    return typeof id === 'number' ? { tag: tag as string, id } : undefined
  }
}
