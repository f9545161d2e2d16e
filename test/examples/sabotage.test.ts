import path from 'node:path'
import { describe, expect, it } from '../support/lab.ts'
import { changed, run } from './run.ts'

/** What breaks an example: in a copy of its folder, a text of one file is replaced by another. */
const sabotage: {
  name: string
  input?: string
  file: string
  text: string
  by: string
  code: number
  why: string
}[] = [
  {
    name: 'tree',
    input: '[1 2 3]',
    file: 'tree/l3.ts',
    text: 'sum + n',
    by: 'sum - n',
    code: 1,
    why: 'the sum',
  },
  {
    name: 'tree',
    input: '[1]',
    file: 'tree/part.ts',
    text: 'pgidOf(process.pid)',
    by: 'pgidOf(process.ppid)',
    code: 1,
    why: 'a group of its own',
  },
  {
    name: 'tree',
    input: '[1]',
    file: 'tree/part.ts',
    text: 'parent: process.ppid',
    by: 'parent: 1',
    code: 1,
    why: 'the parent of',
  },
  {
    name: 'counter',
    file: 'counter/actor.ts',
    text: 'count += message.add',
    by: 'count = message.add',
    code: 2,
    why: '5050',
  },
  {
    name: 'pipeline',
    file: 'pipeline.ts',
    text: 'await to.send',
    by: 'void to.send',
    code: 2,
    why: 'under way at once',
  },
  {
    name: 'isolation',
    file: 'isolation.ts',
    text: "b.stdin.send('for b')",
    by: "b.stdin.send('for a')",
    code: 2,
    why: 'deep-equal',
  },
  {
    name: 'isolation',
    file: 'isolation.ts',
    text: 'pipeEnds(pid)',
    by: 'pipeEnds(process.pid)',
    code: 2,
    why: 'nobody holds',
  },
  {
    name: 'crash',
    file: 'crash/recovers.ts',
    text: 'if (leaf === current) leaf = start()',
    by: '',
    code: 2,
    why: 'the next works',
  },
  { name: 'crash', file: 'crash/passes.ts', text: '{ cause }', by: '{}', code: 2, why: 'deep-equal' },
  {
    name: 'backpressure',
    file: 'backpressure/middle.ts',
    text: 'await leaf.stdin.send',
    by: 'void leaf.stdin.send',
    code: 2,
    why: '',
  },
  { name: 'lifecycle', file: 'lifecycle/leaf.ts', text: 'self.onStop', by: 'void', code: 2, why: 'ENOENT' },
  {
    name: 'lifecycle',
    file: 'lifecycle.ts',
    text: "await victim.call('who'), await sibling.call('who')",
    by: "await sibling.call('who'), []",
    code: 2,
    why: 'nobody below it lives on',
  },
  {
    name: 'threads',
    file: 'threads/reader.ts',
    text: 'sum += new',
    by: 'sum = new',
    code: 2,
    why: 'all of it',
  },
  { name: 'threads', file: 'threads/loops.ts', text: 'for (;;)', by: 'return', code: 2, why: 'deep-equal' },
  { name: 'closure', file: 'closure.ts', text: '+ fee', by: '- fee', code: 2, why: '35,30,10' },
  {
    name: 'closure',
    file: 'closure.ts',
    text: '{ given: { rate } }',
    by: '{}',
    code: 2,
    why: '35,30,10',
  },
  {
    name: 'remote',
    file: 'remote.ts',
    text: "hosts[0]!.process.signal('SIGKILL')\nawait a!.exited",
    by: '',
    code: 2,
    why: 'strictly equal',
  },
  {
    name: 'remote',
    file: 'remote/branch.ts',
    text: 'part(numbers.filter((_, i) => i % 2 === 0))',
    by: 'part(numbers)',
    code: 2,
    why: 'strictly equal',
  },
  {
    name: 'ssh',
    file: 'ssh.ts',
    text: "process.kill(pid(), 'SIGKILL') // the connection breaks\nawait far.exited",
    by: '',
    code: 2,
    why: 'strictly equal',
  },
  {
    name: 'ssh',
    file: 'ssh/far.ts',
    text: 'self.args',
    by: 'self.args.slice(1)',
    code: 2,
    why: 'deep-equal',
  },
  {
    name: 'polyglot',
    file: 'peers/peer.sh',
    text: 'answer=$(($1 * 2))',
    by: 'answer=$(($1 * 3))',
    code: 2,
    why: 'deep-equal',
  },
  {
    name: 'polyglot',
    file: 'peers/lines.sh',
    text: '"$n" "$value"',
    by: '"$n" "$n"',
    code: 2,
    why: 'deep-equal',
  },
  {
    name: 'siblings',
    file: 'siblings.ts',
    text: 'total += k',
    by: 'total + k',
    code: 2,
    why: 'no update is lost',
  },
  {
    name: 'capability',
    file: 'capability.ts',
    text: 'ref(readOnly(3))',
    by: 'store',
    code: 2,
    why: 'deep-equal',
  },
  {
    name: 'capability',
    file: 'capability.ts',
    text: 'view.revoke()',
    by: '',
    code: 2,
    why: 'whom he has given it',
  },
  {
    name: 'progress',
    file: 'progress/worker.ts',
    text: 'progress.release()',
    by: '',
    code: 2,
    why: 'let the callback go',
  },
  { name: 'deep', file: 'deep/link.ts', text: 'depth - 1', by: 'depth - 2', code: 2, why: '16' },
]

describe('an example whose claim does not hold', () => {
  // One of each as a rule; `npm run soak` asks for all of them.
  const chosen = process.env.WAT_LONG
    ? sabotage
    : sabotage.filter((row, n) => sabotage.findIndex(other => other.name === row.name) === n)
  it.for(chosen)('P40 P20 $name fails when $file says "$by" for "$text"', async (row, { lab }) => {
    const folder = changed(lab, row.file, row.text, row.by)
    const { code, stderr } = await run(lab, path.join(folder, `${row.name}.ts`), row.input)
    expect(code).toBe(row.code)
    expect(stderr).toContain(row.why)
  })
})
