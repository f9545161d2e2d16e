import { println, self, spawnProcess, stdin } from 'wat-vm'

/** Hands every value down; the last level counts the bytes, and each passes what comes up. */
const below = Number(self.args[0]) - 1

if (below === 0) {
  await println('ready')
  let bytes = 0
  for await (const value of stdin) bytes += (value as Uint8Array).length
  await println(bytes)
} else {
  const next = spawnProcess<unknown, string | number>(new URL(import.meta.url), { args: [String(below)] })
  await println(await next.stdout.recv())
  for await (const value of stdin) await next.stdin.send(value)
  await next.stdin.end()
  await println(await next.stdout.recv())
}
