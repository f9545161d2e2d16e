import { Buffer } from 'node:buffer'
import { appendLine, checkIdle, encodeLine } from '../../edn/encode.ts'
import type { Out } from '../../edn/out.ts'
import { headOf, type Ask } from '../call.ts'
import { Carried } from './carried.ts'
import { fit } from '../fit.ts'
import { linesFrame, tags, type LineWriter } from '../frames.ts'
import { headText, type Head, type Mention } from '../head.ts'
import { toBody } from '../iterable.ts'
import { here } from './local-call.ts'
import type { Text } from '../passed.ts'
import { Raws } from '../raw.ts'
import type { Target } from './target.ts'
import { Unread } from '../unread.ts'

interface WriterOptions {
  /** This process's. */
  readonly address: () => string
  readonly maxFrame: () => number
  /** Whether the other side knows references, heads and raw bytes. */
  readonly known: () => boolean
  /** The number of a reference that is given to the other side; until it is taken back, that counts as given. */
  mention(target: Target): Mention
  takeBack(mention: Mention): void
}

/** Writes what goes over one link: a body, the references that it holds in a head, and its bytes ahead. */
export class FrameWriter {
  readonly #carried: Carried
  /** The other side has been told that each form has a line to itself. */
  #byLines = false
  readonly #options: WriterOptions

  constructor(options: WriterOptions) {
    this.#options = options
    this.#carried = new Carried(options.address, here, new Raws())
  }

  /** A request: with a head, where it has something to say. */
  readonly call: LineWriter = (out, id, asked) => {
    const { body, to, due, meta } = asked as Ask
    const known = this.#options.known()
    const plain = to === 0 && ((due === undefined && meta === undefined) || !known)
    this.#write(out, REQUEST, tags.call, id, body, plain ? undefined : headOf(asked as Ask), known)
  }

  readonly reply: LineWriter = (out, id, body) =>
    this.#write(out, REPLY, tags.return, id, body, undefined, this.#options.known())

  /** The same with the text of a body; `undefined` while the other side does not know what that takes. */
  get callLine(): LineWriter | undefined {
    return this.#options.known() ? this.#callLine : undefined
  }

  readonly #callLine: LineWriter = (out, id, text) => this.#writeText(out, REQUEST, id, text as Text)

  readonly replyLine: LineWriter = (out, id, text) => this.#writeText(out, REPLY, id, text as Text)

  readonly given: LineWriter = (out, id, body) => this.#write(out, GIVEN, tags.given, id, body, {}, true)

  /** A plain value, which holds no references. */
  value(write: LineWriter, out: Out, id: number, given: unknown): void {
    const value = given instanceof Unread ? given.read() : given
    if (out.busy || !this.#options.known()) {
      out.refer = undefined
      return write(out, id, value)
    }
    const raws = new Raws()
    const start = out.length
    out.refer = raws.refer
    write(out, id, value)
    if (raws.list.length === 0) return
    raws.insert(out, start)
    fit(out.length - start, this.#options.maxFrame())
  }

  #write(
    out: Out,
    plain: Buffer,
    tag: string,
    id: number,
    body: unknown,
    head: Head | undefined,
    known: boolean,
  ): void {
    if (body instanceof Unread) {
      if (known) return this.#writeUnread(out, plain, tag, id, body, head)
      body = body.read()
    }
    const carried = this.#carried
    // A getter of the value that is being written: it is refused, and what that value has carried so far stays.
    if (out.busy) return encodeLine(out, plain, id, body, END)
    const start = out.length
    // It stays: whoever writes what may hold none takes it away.
    out.refer = known ? carried.refer : undefined
    carried.raw = this.#options.known() // what may be given references need not know bytes
    try {
      encodeLine(out, plain, id, toBody(body), END)
      if (head !== undefined || carried.size > 0) this.#addHead(out, start, plain, tag, id, head)
      else carried.raws?.insert(out, start)
    } catch (error) {
      carried.clear()
      throw error
    }
  }

  #writeText(out: Out, plain: Buffer, id: number, text: Text): void {
    checkIdle(out)
    const begin = out.length
    if (!this.#byLines) out.text(linesFrame())
    appendLine(out, plain, id, text, END)
    fit(out.length - begin, this.#options.maxFrame()) // what is too large is taken back, and all before it here
    this.#byLines = true
  }

  /** As it is. What nobody has read here must not reach beyond its line there, so its line is all that it has. */
  #writeUnread(
    out: Out,
    plain: Buffer,
    tag: string,
    id: number,
    unread: Unread,
    head: Head | undefined,
  ): void {
    const { raws, things, sound } = unread
    const carried = this.#carried
    checkIdle(out)
    const begin = out.length
    if (!sound && !this.#byLines) out.text(linesFrame())
    const start = out.length
    appendLine(out, plain, id, unread, END)
    try {
      if (things.length > 0) carried.place(things)
      if (raws.length > 0) carried.raws?.list.push(...raws)
      if (head !== undefined || carried.size > 0) this.#addHead(out, start, plain, tag, id, head, begin)
      else carried.raws?.insert(out, start)
      fit(out.length - begin, this.#options.maxFrame())
    } catch (error) {
      carried.clear()
      throw error
    }
    this.#byLines ||= !sound
  }

  /** Puts it in place of the beginning of a frame that has none. */
  #addHead(
    out: Out,
    start: number,
    plain: Buffer,
    tag: string,
    id: number,
    head: Head | undefined,
    begin = start,
  ): void {
    const carried = this.#carried
    const bodyStart = start + plain.length + String(id).length + 1
    const refs: Mention[] = []
    try {
      for (const target of carried.targets) refs.push(this.#options.mention(target))
      const text = headText({ ...head, ...(refs.length > 0 && { refs }) })
      out.replace(start, bodyStart, `#${tag} [${id} ${text} `)
      carried.raws?.insert(out, start)
      fit(out.length - begin, this.#options.maxFrame())
    } catch (error) {
      for (const mention of refs) this.#options.takeBack(mention)
      throw error
    }
    carried.sent()
    carried.clear() // what is lost must not wait for the next frame to be found
  }
}

const REQUEST = Buffer.from(`#${tags.request} [`)
const REPLY = Buffer.from(`#${tags.reply} [`)
const GIVEN = Buffer.from(`#${tags.given} [`)
const END = Buffer.from(']\n')
