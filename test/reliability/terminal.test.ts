import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it, ts, type Lab } from '../support/lab.ts'
import type { Live } from '../support/live.ts'
import { installed } from '../support/machine.ts'
import { alive, gone, info, state, until } from '../support/proc.ts'
import { interactive, leave, status } from '../support/shell.ts'

const CTRL_C = '\x03'
const CTRL_Z = '\x1a'
const CTRL_BACKSLASH = '\x1c'

/** A tree of seven on three levels; every hook writes a line. The leaves named in `stuck` loop for ever. */
const tree = ts`
  import { appendFileSync } from 'node:fs'
  import { self, serve, spawnProcess } from 'wat-vm'
  const [depth = 0, journal = '', stuck = ''] = [Number(self.args[0]), self.args[1], self.args[2]]
  self.onStop(() => appendFileSync(journal, self.address + '\n'))
  const below = Array.from({ length: depth > 0 ? 2 : 0 }, () =>
    spawnProcess(import.meta.filename, { name: 'n', args: [String(depth - 1), journal, stuck] }))
  await Promise.all(below.map(child => child.ready))
  await serve(async (request: string) => {
    const pids: number[] = (await Promise.all(below.map(child => child.call(request)))).flat()
    if (depth === 0 && stuck !== '') setTimeout(() => { for (;;); }, 5)
    return [process.pid, ...pids]
  })`

const terminal = it.skipIf(!installed('script') || !installed('bash'))

describe('in an interactive shell on a pseudo-terminal (needs `script` and `bash`)', () => {
  terminal('P37 Ctrl-C stops each process once and gives the prompt back', async ({ lab }) => {
    const { shell, pids, journal } = await grown(lab, '')
    shell.write(CTRL_C)
    await gone(pids, 6000)
    expect(await status(shell)).toBe('130')
    expect(lines(journal)).toHaveLength(7)
    expect(new Set(lines(journal)).size).toBe(7)
    await leave(shell)
  })

  terminal('P37 a second Ctrl-C forces, far inside the grace', async ({ lab }) => {
    const { shell, pids } = await grown(lab, 'stuck')
    const spinning = () => pids.filter(pid => state(pid) === 'R').length >= 2
    await until(spinning, 5000, () => pids.map(state).join())
    const started = performance.now()
    shell.write(CTRL_C)
    await new Promise(resolve => setTimeout(resolve, 500)) // a person's second thought
    expect(pids.some(alive)).toBe(true)
    shell.write(CTRL_C)
    await gone(pids, 3000)
    expect(performance.now() - started).toBeLessThan(4000)
    expect(await status(shell)).toBe('130')
    await leave(shell)
  })

  terminal('P37 Ctrl-Z suspends the whole tree, fg resumes it', async ({ lab }) => {
    const { shell, pids, journal } = await grown(lab, '')
    shell.write(CTRL_Z)
    await until(
      () => pids.every(pid => state(pid) === 'T'),
      5000,
      () => pids.map(state).join(),
    )
    shell.write('fg\n')
    await until(
      () => pids.every(pid => state(pid) !== 'T'),
      5000,
      () => pids.map(state).join(),
    )
    shell.write('"again"\n')
    expect(await shell.stdout.match(/^\[\d+ .*\]/)).toContain(String(pids[6]))
    shell.write(CTRL_C)
    await gone(pids, 6000)
    expect(lines(journal)).toHaveLength(7)
    await leave(shell)
  })

  for (const suspended of [false, true]) {
    terminal(
      `P36 closing the terminal ends the tree${suspended ? ', also a suspended one' : ''}`,
      async ({ lab }) => {
        const { shell, pids, journal } = await grown(lab, '')
        if (suspended) {
          shell.write(CTRL_Z)
          await until(
            () => pids.every(pid => state(pid) === 'T'),
            5000,
            () => pids.map(state).join(),
          )
        }
        shell.signal('SIGKILL') // script goes, and the terminal with it
        await gone(pids, 7000)
        expect(lines(journal)).toHaveLength(7)
        await shell.ended
      },
    )
  }

  terminal.for([0, 20, 60, 120, 200])(
    'P37 Ctrl-C while the tree boots, after %i ms: the prompt is back, the tree is gone',
    async (ms, { lab }) => {
      const shell = interactive(lab)
      const program = lab.program(tree)
      shell.write(`stty -echo; echo ready; wat '${program}' 2 '${program}.journal'\n`)
      await shell.stdout.match(/^ready/)
      const booting = () => commands(lab).some(command => command.includes(program))
      await until(booting, 5000, () => 'wat does not start')
      await new Promise(resolve => setTimeout(resolve, ms))
      shell.write(CTRL_C)
      await until(
        () => !booting(),
        6000,
        () => commands(lab).join('; '),
      )
      expect(await status(shell)).toBe('130')
      await leave(shell)
    },
  )

  terminal('P36 Ctrl-\\ (SIGQUIT) ends the root at once, and the tree stops by itself', async ({ lab }) => {
    const { shell, pids, journal } = await grown(lab, '')
    shell.write(CTRL_BACKSLASH)
    await gone(pids, 6000)
    expect(await status(shell)).toBe('131')
    expect(lines(journal)).toHaveLength(6)
    await leave(shell)
  })

  terminal.for(['TERM', 'HUP'])('P37 the shell sees the number of SIG%s', async (signal, { lab }) => {
    const { shell, pids, journal } = await grown(lab, '')
    process.kill(pids[0]!, `SIG${signal}`)
    await gone(pids, 6000)
    expect(lines(journal)).toHaveLength(7)
    expect(await status(shell)).toBe(signal === 'TERM' ? '143' : '129')
    await leave(shell)
  })
})

/** A shell with a tree in its foreground, and who is in it. */
async function grown(lab: Lab, stuck: string): Promise<{ shell: Live; pids: number[]; journal: string }> {
  const program = lab.program(tree)
  const journal = `${program}.journal`
  const shell = interactive(lab)
  shell.write(`stty -echo; wat '${program}' 2 '${journal}' ${stuck}\n`)
  shell.write('"who"\n')
  const answer = await shell.stdout.match(/^\[\d+( \d+){6}\]/)
  return { shell, pids: answer.match(/\d+/g)!.map(Number), journal }
}

/** What runs, of all that this test has started. */
function commands(lab: Lab): string[] {
  return lab.survivors().map(pid => info(pid)?.command ?? '')
}

function lines(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []
}
