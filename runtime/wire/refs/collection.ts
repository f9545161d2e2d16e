/**
 * V8 finds out that a reference is no longer used in a collection of all garbage, which may be far off where the
 * program makes little of it. So when so many have come that were not given back, one is asked for.
 */
const EVERY = 8192

let next = EVERY
let collect: (() => void) | undefined

/** `live`: how many there are. */
export function wantCollection(live: number): void {
  if (live < next) {
    if (live < next / 4) next = Math.max(EVERY, 2 * live)
    return
  }
  next = live + EVERY
  collect ??= collector()
  collect()
}

/** What `--expose-gc` would give a program: it exists in contexts that are made from here on. */
function collector(): () => void {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8')
  setFlagsFromString('--expose-gc')
  const gc = process.getBuiltinModule('node:vm').runInNewContext('gc') as () => void
  setFlagsFromString('--no-expose-gc')
  return () => setImmediate(gc)
}
