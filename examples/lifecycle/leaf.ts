// Tells who it is, and then either hangs for ever or leaves a note when it is stopped.
import { writeFileSync } from 'node:fs'
import { self, serve } from 'wat-vm'

const [note] = self.args
self.onStop(() => note && writeFileSync(note, 'stopped in order'))
await serve((order: 'who' | 'hang') => {
  if (order === 'hang') for (;;);
  return process.pid
})
