// An L2 that starts its leaf again when it dies, and answers nil for what killed it.
import { log, serve, spawnProcess, WatError } from 'wat-vm'

let leaf = start()
await serve(async (n: number) => {
  const current = leaf
  try {
    return await current.call(n)
  } catch (error) {
    if (!(error instanceof WatError && error.code === 'offline')) throw error
    log.warn('starting the leaf again', error)
    if (leaf === current) leaf = start()
    return null
  }
})

function start() {
  return spawnProcess<number, number>(new URL('./fragile.ts', import.meta.url))
}
