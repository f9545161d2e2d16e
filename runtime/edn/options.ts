import type { TagReader } from './tags.ts'

/** What a reader takes, and how it reads tags. */
export interface ReaderOptions {
  /** Bytes that one top-level form may take. Default: no limit. */
  maxFrame?: number | undefined
  /** How deep containers, tags and discards may nest. Default: 1,000,000. */
  maxDepth?: number | undefined
  /** Readers of tags, by name without `#`. They go before the registered ones. */
  tags?: Record<string, TagReader> | ReadonlyMap<string, TagReader> | undefined
  /**
   * What `#wat/ref n` stands for, in a frame `#tag [id head …`; what it throws is malformed input.
   * @internal
   */
  dereference?: ((number: unknown, tag: unknown, head: unknown) => unknown) | undefined
  /**
   * What `#wat/bytes n` stands for, with a number in place of text; what it throws is malformed input.
   * @internal
   */
  raw?: TagReader | undefined
}
