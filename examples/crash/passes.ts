// An L2 that lets the death of its leaf pass, as the cause of its own failure.
import { serve, spawnProcess } from 'wat-vm'

const leaf = spawnProcess<number, number>(new URL('./fragile.ts', import.meta.url))
await serve(async (n: number) => {
  try {
    return await leaf.call(n)
  } catch (cause) {
    throw new Error(`no answer for ${n}`, { cause })
  }
})
