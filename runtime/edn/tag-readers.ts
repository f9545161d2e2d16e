import type { ReaderOptions } from './options.ts'
import { tagReader, type TagReader } from './tags.ts'

/** How one reader reads tags. */
export class TagReaders {
  readonly #tags: ReadonlyMap<string, TagReader> | undefined
  readonly #dereference: TagReader | undefined
  /** That of `#wat/bytes`, where bytes can come beside the text. */
  readonly #bytes: TagReader | undefined

  /** `frame`: tag and head of the one that is being read. */
  constructor(options: ReaderOptions | undefined, frame: () => [tag: unknown, head: unknown]) {
    const { tags, dereference, raw } = options ?? {}
    if (dereference) this.#dereference = number => dereference(number, ...frame())
    const text = tagReader('wat/bytes') as TagReader
    if (raw) this.#bytes = value => (typeof value === 'number' ? raw(value) : text(value))
    this.#tags = tags === undefined || tags instanceof Map ? tags : new Map(Object.entries(tags))
  }

  /** `undefined` for a tag that nobody reads. */
  of(tag: string): TagReader | undefined {
    if (tag === 'wat/ref') return this.#dereference
    return this.#tags?.get(tag) ?? (tag === 'wat/bytes' ? this.#bytes : undefined) ?? tagReader(tag)
  }
}
