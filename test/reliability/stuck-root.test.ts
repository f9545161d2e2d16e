import { readFileSync } from 'node:fs'
import { describe, expect, it, ts, type Lab } from '../support/lab.ts'
import type { Live } from '../support/live.ts'
import { installed } from '../support/machine.ts'
import { childrenOf, descriptors, gone, info, until } from '../support/proc.ts'
import { interactive, leave, SHELL, status } from '../support/shell.ts'

const CTRL_C = '\x03'
const GRACE_MS = 1000
/** What a guard adds to the grace, and a busy machine to that. */
const SLACK_MS = 3000

const terminal = it.skipIf(process.platform !== 'linux' || !installed('script') || !installed('bash'))

const prelude = ts`
  import { execSync } from 'node:child_process'
  import { appendFileSync } from 'node:fs'
  import { self, serve, spawnProcess } from 'wat-vm'
  const mark = (what: string) => appendFileSync(import.meta.filename + '.' + what, process.pid + '\n')
  const [role] = self.args
`

/** Roots that see no signal, each in its own way. They leave their number when it is so far. */
const stuck = {
  'at its top level': ts`mark('stuck'); for (;;);`,
  'in a handler': ts`await serve(() => { mark('stuck'); for (;;); })`,
  'in a wait': ts`mark('stuck'); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)`,
  // The shell says it itself: before its trap a Ctrl-C would end it, and the root would go on.
  'in a command that ignores signals': ts`
    const file = import.meta.filename + '.stuck'
    execSync("trap '' INT HUP TERM; echo " + process.pid + " > '" + file + "'; sleep 60; sleep 60", { stdio: 'ignore' })`,
  'above a child that is not stuck, and one that is': ts`
    if (role === 'awake') { self.onStop(() => mark('hook')); await serve(() => 1) }
    else if (role === 'loops') await serve(() => { mark('loops'); for (;;); })
    else {
      const [awake, loops] = ['awake', 'loops'].map(name =>
        spawnProcess<number, number>(import.meta.filename, { name, args: [name] }))
      await awake!.call(1)
      loops!.call(1).catch(() => {})
      setTimeout(() => { mark('stuck'); for (;;); }, 300)
    }`,
}

describe('a root that is stuck, on a terminal (needs Linux, `script` and `bash`)', () => {
  for (const [how, source] of Object.entries(stuck)) {
    terminal(`P77 ${how}: Ctrl-C, the grace, and everything is gone`, async ({ lab }) => {
      const { shell, program, all } = await started(lab, source)
      shell.write(CTRL_C)
      expect(await gone(all, GRACE_MS + SLACK_MS)).toBeGreaterThan(GRACE_MS * 0.9)
      expect(await status(shell)).toBe('137')
      if (how.startsWith('above')) expect(readFileSync(`${program}.hook`, 'utf8')).toMatch(/^\d+\n$/)
      expect(of(lab, program)).toEqual([]) // the guard has gone, too
      await leave(shell)
    })
  }

  terminal('P77 a second Ctrl-C ends it far inside the grace', async ({ lab }) => {
    const { shell, all } = await started(
      lab,
      stuck['above a child that is not stuck, and one that is'],
      20_000,
    )
    shell.write(CTRL_C)
    await new Promise(resolve => setTimeout(resolve, 300)) // a person's second thought
    shell.write(CTRL_C)
    expect(await gone(all, SLACK_MS)).toBeLessThan(SLACK_MS)
    expect(await status(shell)).toBe('137')
    await leave(shell)
  })

  terminal('P77 the closing of its terminal ends it', async ({ lab }) => {
    const { shell, all } = await started(lab, stuck['above a child that is not stuck, and one that is'])
    shell.signal('SIGKILL') // script goes, and the terminal with it
    await gone(all, GRACE_MS + SLACK_MS)
    await shell.ended
  })

  terminal('P77 the closing of its terminal ends one that is the first process on it', async ({ lab }) => {
    const program = lab.program(prelude + stuck['at its top level'])
    const env = { WAT_STOP_GRACE_MS: String(GRACE_MS) }
    const script = lab.command('script', ['-qec', `exec wat '${program}'`, '/dev/null'], { env })
    const root = await marked(program)
    expect(info(root)?.sid).toBe(root)
    script.signal('SIGKILL')
    await gone(of(lab, program), GRACE_MS + SLACK_MS)
    await script.ended
  })

  terminal('P77 others in its pipeline are left alone', async ({ lab }) => {
    const shell = interactive(lab)
    const program = lab.program(prelude + stuck['in a handler'])
    shell.write(
      `stty -echo; echo 2 | WAT_STOP_GRACE_MS=300 wat '${program}' | (trap '' INT; cat; echo still here)\n`,
    )
    await marked(program)
    shell.write(CTRL_C)
    await shell.stdout.match(/still here/)
    await leave(shell)
  })
})

describe('the guard of a root that is not stuck, on a terminal', () => {
  terminal('P77 leaves a program alone that has taken Ctrl-C over', async ({ lab }) => {
    const shell = interactive(lab)
    const program = lab.program(ts`
      let count = 0
      process.removeAllListeners('SIGINT')
      process.on('SIGINT', () => { console.log('own ' + ++count); if (count === 2) process.exit(7) })
      console.log('waits')
      setInterval(() => {}, 1000)`)
    shell.write(`stty -echo; WAT_STOP_GRACE_MS=300 wat '${program}'\n`)
    await shell.stdout.match(/^waits/)
    await until(
      () => of(lab, program).length === 1,
      2000,
      () => 'the guard stays',
    )
    shell.write(CTRL_C)
    await shell.stdout.match(/own 1/)
    await new Promise(resolve => setTimeout(resolve, 1200)) // more than the grace
    shell.write(CTRL_C)
    await shell.stdout.match(/own 2/)
    expect(await status(shell)).toBe('7')
    await leave(shell)
  })

  terminal('P77 is in the way of nobody, and does not outlive it', async ({ lab }) => {
    const shell = interactive(lab)
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      process.getBuiltinModule('node:fs').writeFileSync(import.meta.filename + '.stuck', process.pid + '\n')
      await serve((n: number) => n * 2)`)
    shell.write(`stty -echo; wat '${program}'\n`)
    const root = await marked(program)
    const [guard, ...more] = of(lab, program).filter(pid => pid !== root)
    expect(more).toEqual([])
    expect(info(guard!)).toMatchObject({ pgid: info(root)!.pgid })
    expect(childrenOf(root)).toEqual([])
    // Neither its terminal nor its pipes. (What a test was given itself is passed on to all.)
    expect(descriptors(guard!).filter(line => /pts/.test(line))).toEqual([])
    expect(descriptors(root).filter(line => /pts/.test(line)).length).toBeGreaterThan(0)
    shell.write('21\n')
    await shell.stdout.match(/42/)
    shell.write('\x04')
    expect(await status(shell)).toBe('0')
    await gone([guard!, root], 2000)
    shell.write(
      `x=$(echo 4 | wat '${program}'); echo "got $x"; seq 9 | wat '${program}' | head -1; jobs; echo "[$?]"\n`,
    )
    expect(await shell.stdout.match(/got 8/)).toContain('got 8')
    expect(await shell.stdout.match(/\[0\]/)).toContain('[0]')
    await leave(shell)
  })

  it('P77 is not there without a terminal', async ({ lab }) => {
    const program = lab.program(
      ts`import { serve } from 'wat-vm'; await serve(() => process.env.WAT_GUARD_FD ?? 'none')`,
    )
    const live = lab.command('setsid', ['wat', program])
    live.write('1\n')
    expect(await live.stdout.line()).toBe('"none"')
    expect(of(lab, program)).toHaveLength(1)
    await live.end()
  })
})

/** A shell with a stuck root in its foreground; `all` are the root, its guard and what is below. */
async function started(
  lab: Lab,
  source: string,
  graceMs = GRACE_MS,
): Promise<{ shell: Live; program: string; all: number[] }> {
  const program = lab.program(prelude + source)
  const shell = interactive(lab)
  shell.write(`stty -echo; echo 2 | WAT_STOP_GRACE_MS=${graceMs} wat '${program}'\n`)
  await marked(program)
  const all = lab.survivors().filter(pid => !info(pid)?.command.includes(SHELL))
  expect(all.length).toBeGreaterThanOrEqual(1)
  return { shell, program, all }
}

/** The number of the program that says that it is stuck. */
async function marked(program: string): Promise<number> {
  const read = () => {
    try {
      return readFileSync(`${program}.stuck`, 'utf8')
    } catch {
      return ''
    }
  }
  await until(
    () => read().endsWith('\n'),
    10_000,
    () => 'it is not stuck',
  )
  return Number(read())
}

/** What of this test runs with this program in its command line. */
function of(lab: Lab, program: string): number[] {
  return lab.survivors().filter(pid => {
    const command = info(pid)?.command ?? ''
    return command.includes(program) && !command.startsWith('script')
  })
}
