// The entry of every wat-vm. It is small, so that what it loads comes out of the compile cache.
import './version.ts'

process.getBuiltinModule('node:module').enableCompileCache()
const { 'wat-vm:boot': boot } = await import('../core.ts')
await boot(process.argv.slice(2))
