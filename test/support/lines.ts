import type { Readable } from 'node:stream'
import { Reader } from '../../runtime/edn/index.ts'

/** The text that comes out of a pipe, to be waited for line by line or value by value. */
export class Lines {
  text = ''
  #seen = 0
  #ended = false
  #wake = new Set<() => void>()
  #reader = new Reader()
  #fed = 0

  constructor(stream: Readable) {
    const decoder = new TextDecoder()
    const changed = () => this.#wake.forEach(wake => wake())
    stream.on('data', (chunk: Buffer) => {
      this.text += decoder.decode(chunk, { stream: true })
      changed()
    })
    stream.once('close', () => {
      this.#ended = true
      changed()
    })
  }

  /** The next line; `undefined` at the end. A last line needs no newline. */
  async line(): Promise<string | undefined> {
    const at = await this.#when(() => {
      const newline = this.text.indexOf('\n', this.#seen)
      if (newline !== -1) return newline
      return this.#ended ? this.text.length : undefined
    })
    if (at === this.#seen && at === this.text.length) return undefined
    const line = this.text.slice(this.#seen, at)
    this.#seen = Math.min(at + 1, this.text.length)
    return line
  }

  /** The first line to come that matches; throws at the end of the text. */
  async match(pattern: RegExp): Promise<string> {
    for (;;) {
      const line = await this.line()
      if (line === undefined) throw new Error(`no line matches ${pattern} in: ${this.text}`)
      if (pattern.test(line)) return line
    }
  }

  /** The next EDN value; `undefined` at the end. Use either this or `line`. */
  async value<T = any>(): Promise<T | undefined> {
    return this.#when<{ value: T | undefined }>(() => {
      this.#feed()
      if (this.#reader.next()) return { value: this.#reader.value as T }
      return this.#ended ? { value: undefined } : undefined
    }).then(({ value }) => value)
  }

  async end(): Promise<string> {
    await this.#when(() => (this.#ended ? true : undefined))
    return this.text
  }

  #feed(): void {
    this.#reader.push(this.text.slice(this.#fed))
    this.#fed = this.text.length
    if (this.#ended) this.#reader.end()
  }

  #when<T>(look: () => T | undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      const again = () => {
        try {
          const found = look()
          if (found === undefined) return
          this.#wake.delete(again)
          resolve(found)
        } catch (error) {
          this.#wake.delete(again)
          reject(error)
        }
      }
      this.#wake.add(again)
      again()
    })
  }
}
