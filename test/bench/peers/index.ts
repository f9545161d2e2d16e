import { execaIpc } from './execa.ts'
import { forkAdvanced, forkJson } from './fork.ts'
import { jsonLines } from './json-lines.ts'
import { jsonrpc } from './jsonrpc.ts'
import { piscina, tinypool } from './pools.ts'
import { raw } from './raw.ts'
import { wat, watThread } from './wat.ts'
import { worker } from './worker.ts'

/** Everybody who can be asked something, in the order in which they take their turns. */
export const peers = [
  wat,
  forkJson,
  forkAdvanced,
  worker,
  jsonrpc,
  piscina,
  tinypool,
  execaIpc,
  jsonLines,
  raw,
]

/** Those who are asked in a thread. */
export const threads = [watThread, worker]
