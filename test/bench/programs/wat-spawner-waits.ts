import { serve, spawnProcess } from 'wat-vm'

const child = spawnProcess(new URL('wat-echo.ts', import.meta.url))

/** Answers when its child is started, not when that answers: the time is this process's own. */
await serve(async body => {
  while (child.pid === undefined) await new Promise(resolve => setImmediate(resolve))
  return body
})
