import fs from 'node:fs'
import { CHUNK_BYTES } from '../work.ts'

/** Writes so many bytes, in calls that block. */
const chunk = Buffer.alloc(CHUNK_BYTES)

for (let left = Number(process.argv[2]); left > 0;)
  left -= fs.writeSync(1, chunk, 0, Math.min(left, CHUNK_BYTES))
