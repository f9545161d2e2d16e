// Children in other languages. A peer speaks the wire: it answers calls, refuses them and stops as a wat-vm
// does. A filter does not: it takes plain values and gives plain values, a line each, until its input ends.
//   $ wat polyglot.ts
//   {:peer "python3" :calls [2 4 6] :refused "denied" :plain 8 :exit 0}
//   {:peer "sh" :calls [2 4 6] :refused "denied" :plain 8 :exit 0}
//   {:filter "sh" :says [{:line 1 :value 3} {:line 2 :value [4]}] :exit 0}
//   {:filter "awk" :says [7] :exit 0}
//   {:filter "cat" :says [{:whatever [1.5 2N nil :k]} "two\nlines"] :exit 0}
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { kw, println, spawnProcess, type WatError } from 'wat-vm'
import { filter } from './polyglot/filter.ts'
import { isInstalled } from './polyglot/is-installed.ts'

const path = (name: string) => fileURLToPath(new URL(`./peers/${name}`, import.meta.url))

for (const [command, file] of Object.entries({ python3: 'peer.py', sh: 'peer.sh' })) {
  if (!isInstalled(command)) {
    await println({ peer: command, skipped: `${command} is not installed` })
    continue
  }
  const peer = spawnProcess<number | string, number>({ command, args: [path(file)] })
  const calls = await Promise.all([1, 2, 3].map(n => peer.call(n)))
  const refused = await peer.call('text').catch(({ code }: WatError) => code)
  await peer.stdin.send(4)
  const plain = await peer.stdout.recv()
  const { code } = await peer.stop()
  assert.deepEqual(
    { calls, refused, plain, code },
    { calls: [2, 4, 6], refused: 'denied', plain: 8, code: 0 },
  )
  await println({ peer: command, calls, refused, plain, exit: code })
}

await filter(['sh', path('lines.sh')], [3, [4]], [{ line: 1, value: 3 }, { line: 2, value: [4] }]) // prettier-ignore
await filter(['awk', '{ sum += $1 } END { print sum }'], [3, 4], [7])
const anything = [{ whatever: [1.5, 2n, null, kw('k')] }, 'two\nlines']
await filter(['cat'], anything, anything)
