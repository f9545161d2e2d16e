// Two leaves: one that can be stopped in order, and one that gets stuck when it is told to.
import { self, serve, spawnProcess } from 'wat-vm'

const leaf = new URL('./leaf.ts', import.meta.url)
const gentle = spawnProcess<string, number>(leaf, { name: 'gentle', args: self.args })
const stuck = spawnProcess<string, number>(leaf, { name: 'stuck' })

await serve(async (order: 'who' | 'hang') => {
  if (order === 'who') return [process.pid, await gentle.call('who'), await stuck.call('who')]
  await stuck.stdin.send('hang')
  return []
})
