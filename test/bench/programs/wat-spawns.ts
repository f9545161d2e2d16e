import { serve, spawnProcess } from 'wat-vm'
import { bodyOf } from '../work.ts'

/** A parent that is a wat-vm itself: how long a child of it takes to its first reply. */
await serve(async () => {
  const start = performance.now()
  const child = spawnProcess(new URL('wat-echo.ts', import.meta.url))
  await child.call(bodyOf('80 B'))
  const ms = performance.now() - start
  await child.stop()
  return ms
})
