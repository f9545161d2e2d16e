// Sends values to a command that knows no frames, ends its input, and asserts what it says.
import assert from 'node:assert/strict'
import { println, spawnProcess } from 'wat-vm'

export async function filter(
  [command, ...args]: [string, ...string[]],
  values: unknown[],
  expected: unknown[],
) {
  const child = spawnProcess({ command, args })
  for (const value of values) await child.stdin.send(value)
  await child.stdin.end()
  const says: unknown[] = []
  for await (const value of child.stdout) says.push(value)
  const { code } = await child.exited
  assert.deepEqual({ says, code }, { says: expected, code: 0 })
  await println({ filter: command, says, exit: code })
}
