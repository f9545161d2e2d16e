// The entry of every wat-vm. It is small, so that what it loads comes out of the compile cache. It runs on
// any Node, to tell of one that is too old.
import type { TooOld } from '../version.ts'

process.getBuiltinModule?.('node:module').enableCompileCache?.()
const { boot } = await import('./boot.ts').catch(tellOfVersion)
await boot(process.argv.slice(2))

function tellOfVersion(error: TooOld): never {
  if (error.code !== 'ERR_WAT_NODE_VERSION') throw error
  process.stderr.write(`wat: ${error.needs}\n`)
  process.exit(64)
}
