/** Levels that containers and tags may nest, unless a reader is told another number. */
export const MAX_DEPTH = 1_000_000
