import { self, serve, spawnProcess } from 'wat-vm'

/** A level above one that echoes: it forwards, or else reads every body and writes it anew, there and back. */
const leaf = spawnProcess(new URL('wat-echo.ts', import.meta.url))

if (self.args[0] === 'forward') await serve(leaf)
else await serve((body, request) => leaf.call(body, request))
