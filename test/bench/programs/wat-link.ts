import { self, serve, spawnProcess } from 'wat-vm'

const below = Number(self.args[0]) - 1

if (below === 0) await serve(body => body)
else {
  const next = spawnProcess(new URL(import.meta.url), { args: [String(below)] })
  await serve(body => next.call(body))
}
