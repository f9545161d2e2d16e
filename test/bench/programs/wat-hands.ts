import { self, serve, spawnProcess } from 'wat-vm'
import { CHUNK_BYTES } from '../work.ts'

/** The last level answers every call with a chunk; those above forward. */
const below = Number(self.args[0]) - 1
const chunk = new Uint8Array(CHUNK_BYTES)

if (below === 0) await serve(() => chunk)
else await serve(spawnProcess(new URL(import.meta.url), { args: [String(below)] }))
