import path from 'node:path'
import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture, repository } from '../support/machine.ts'

const runtime = JSON.stringify(path.join(repository, 'dist/core.js'))

describe('a plain Node program', () => {
  it('P25 can import the package, spawn and call; it exits by itself', async ({ lab }) => {
    const script = lab.program({
      'script.mjs': ts`
        import { spawnProcess, self } from ${runtime}
        const child = spawnProcess(process.argv[2])
        console.log(await child.call(21), child.address, self.address)`,
    })
    const outcome = await lab.command('node', [script, fixture('double.ts')]).end()
    expect(outcome).toEqual({ code: 0, signal: null, stdout: '42 /double /\n', stderr: '' })
    await lab.noSurvivors(6500)
  })

  it('P25 has no pipes of its own: readln, println and serve are `denied`', async ({ lab }) => {
    const script = lab.program({
      'script.mjs': ts`
        import { println, readln, serve, stdin } from ${runtime}
        for (const use of [readln(), println(1), serve(() => {})]) console.log(await use.catch(error => error.code))
        console.log(await stdin.recv())`,
    })
    const outcome = await lab.command('node', [script]).end()
    expect(outcome.stdout.trim().split('\n')).toEqual(['denied', 'denied', 'denied', 'undefined'])
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
  })

  it('P18 awaiting `exited` keeps it alive', async ({ lab }) => {
    const script = lab.program({
      'script.mjs': ts`
        import { spawnProcess } from ${runtime}
        const child = spawnProcess(process.argv[2])
        console.log(await child.exited)`,
      'child.ts': ts`setTimeout(() => process.exit(4), 500)`,
    })
    const outcome = await lab.command('node', [script, script.replace('script.mjs', 'child.ts')]).end()
    expect(outcome).toMatchObject({ code: 0, stdout: '{ code: 4 }\n' })
  })

  it('P36 its death takes the tree along', async ({ lab }) => {
    const script = lab.program({
      'script.mjs': ts`
        import { spawnProcess } from ${runtime}
        const child = spawnProcess(process.argv[2], { stopGrace: 500 })
        await child.stdin.send(1)
        console.log(await child.stdout.recv())
        setInterval(() => {}, 1000)`,
    })
    const live = lab.command('node', [script, fixture('stuck.ts')])
    await live.stdout.line()
    live.signal('SIGKILL')
    await live.ended
    await lab.noSurvivors(1500 + 1500)
  })

  it('P19 its own signals, errors and stdout stay as Node has them', async ({ lab }) => {
    const script = lab.program({
      'script.mjs': ts`
        import { spawnProcess } from ${runtime}
        console.log(process.listenerCount('SIGTERM'), process.listenerCount('uncaughtException'))
        setTimeout(() => { throw new Error('mine') }, 10)`,
    })
    const outcome = await lab.command('node', [script]).end()
    expect(outcome).toMatchObject({ code: 1, stdout: '0 0\n' })
    expect(outcome.stderr).toContain('Error: mine')
    expect(outcome.stderr).not.toContain('#wat/')
  })
})
