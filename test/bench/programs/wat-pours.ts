import { println, self, spawnProcess, stdin, stdout } from 'wat-vm'
import { CHUNK_BYTES } from '../work.ts'

/** Asked for so many chunks, the last level prints them; those above pass on what comes. */
const below = Number(self.args[0]) - 1

if (below === 0) {
  const chunk = new Uint8Array(CHUNK_BYTES)
  for await (const count of stdin) for (let sent = 0; sent < (count as number); sent++) await println(chunk)
} else {
  const child = spawnProcess(new URL(import.meta.url), { args: [String(below)] })
  await Promise.all([down(), up()])

  async function down(): Promise<void> {
    for await (const count of stdin) await child.stdin.send(count)
    await child.stdin.end()
  }

  async function up(): Promise<void> {
    for await (const chunk of child.stdout) await stdout.send(chunk)
  }
}
