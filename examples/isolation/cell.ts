// Prints what reaches it, passes it on to a process inside, and prints what reaches that one.
import { println, self, spawnProcess, stdin } from 'wat-vm'

const inner = self.args[0] === 'outer' ? spawnProcess(new URL(import.meta.url), { name: 'inner' }) : undefined

for await (const secret of stdin as AsyncIterable<string>) {
  await println({ address: self.address, pid: process.pid, saw: secret })
  await inner?.stdin.send(`${secret}, passed on`)
  if (inner) await println(await inner.stdout.recv())
}
