// Programs on another host, by way of a command that leads there; that host needs `wat` in its PATH, and no
// more. A function, and a file with an import of its own, are sent, and so are arguments and environment,
// whatever is in them. Without a command, a shell plays ssh: it joins its words for another shell.
//   $ wat ssh.ts ssh myhost
//   {:program "function" :host "myhost" :env "it's \"$HOME\" `id` \\ * ; é\n"}
//   {:program "file" :host "myhost" :pid 5579 :args ["" "it's \"$HOME\" `id` \\ * ; é\n"]}
//   {:call "offline" :survivors 0}
import assert from 'node:assert/strict'
import { println, self, spawnProcess, type WatError } from 'wat-vm'
import { notePid } from './ssh/note-pid.ts'

const ODD = 'it\'s "$HOME" `id` \\ * ; é\n'
const launcher = self.args.length > 0 ? self.args : ['sh', '-c', 'exec sh -c "$*"', 'sh']

const { stdout } = spawnProcess(
  async ({ println }) => {
    const { hostname } = await import('node:os')
    await println({ program: 'function', host: hostname(), env: process.env.ODD })
  },
  { via: launcher, env: { ODD } },
)
const said = await stdout.recv()
assert.equal(said.env, ODD)
await println(said)

const { via, pid } = notePid(launcher)
const start = (via: readonly string[]) =>
  spawnProcess(new URL('./ssh/far.ts', import.meta.url), { via, args: ['', ODD], stopGrace: 500 })
const far = start(via)
const place = await far.call('where')
assert.deepEqual(place.args, ['', ODD])
await println(place)

process.kill(pid(), 'SIGKILL') // the connection breaks
await far.exited
const call = await far.call('where').catch((error: WatError) => error.code)
assert.equal(call, 'offline')
const left = await start(launcher).call({ survivors: [place.pid] }) // asks there, over another connection
assert.deepEqual(left, [], 'the far side dies with the connection')
await println({ call, survivors: left.length })
