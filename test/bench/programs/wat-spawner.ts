import { serve, spawnProcess } from 'wat-vm'

spawnProcess(new URL('wat-echo.ts', import.meta.url))

await serve(body => body)
