// The entry of every wat-vm. It is small, so that what it loads comes out of the compile cache.
import './version.ts'

process.getBuiltinModule('node:module').enableCompileCache()
await import('./boot.ts')
