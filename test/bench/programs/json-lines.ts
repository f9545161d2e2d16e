import type { Readable, Writable } from 'node:stream'

/** As much is written at once. */
const BATCH_UNITS = 8 * 1024

/** Messages as lines of JSON, with as little as it takes. */
export class JsonLines {
  readonly #input: Readable
  readonly #output: Writable
  #batch = ''
  #rest: string[] = []
  #scheduled = false

  constructor(input: Readable, output: Writable) {
    this.#input = input.setEncoding('latin1') // the bodies are ASCII
    this.#output = output
  }

  onMessage(listener: (message: unknown) => void): void {
    this.#input.on('data', (chunk: string) => {
      const lines = chunk.split('\n')
      const last = lines.pop() as string
      for (const line of lines) {
        if (this.#rest.length === 0) listener(JSON.parse(line))
        else {
          this.#rest.push(line)
          const whole = this.#rest.join('')
          this.#rest = []
          listener(JSON.parse(whole))
        }
      }
      if (last !== '') this.#rest.push(last)
    })
  }

  send(message: unknown): void {
    this.#batch += `${JSON.stringify(message)}\n`
    if (this.#batch.length >= BATCH_UNITS) return this.#write()
    if (this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#write()
    })
  }

  #write(): void {
    if (this.#batch !== '') this.#output.write(this.#batch, 'latin1')
    this.#batch = ''
  }
}
