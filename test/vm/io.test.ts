import { describe, expect, it, told, ts } from '../support/lab.ts'

describe('stdin and stdout', () => {
  it('P8 readln gives the values one by one, and undefined at the end, again and again', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, readln } from 'wat-vm'
      for (let n = 0; n < 5; n++) await println((await readln()) ?? 'end')`)
    expect(await lab.facts(program, { input: '1 [2] {:a 3}' })).toEqual([1, [2], { a: 3 }, 'end', 'end'])
  })

  it('P8 nil is a value, not the end', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, stdin } from 'wat-vm'
      for await (const value of stdin) await println([value])`)
    expect(await lab.facts(program, { input: 'nil 0 false nil' })).toEqual([[null], [0], [false], [null]])
  })

  it('P8 reads asked for in one go are answered in order', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, readln } from 'wat-vm'
      await println(await Promise.all([readln(), readln(), readln()].map(p => p.then(v => v ?? 'end'))))`)
    expect(await lab.facts(program, { input: '1 2' })).toEqual([[1, 2, 'end']])
  })

  it('P8 println writes in the order of the calls, awaited or not', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, stdout } from 'wat-vm'
      for (let n = 0; n < 5000; n++) n % 7 ? void println(n) : n % 2 ? await println(n) : void stdout.send(n)`)
    expect(await lab.facts(program)).toEqual(Array.from({ length: 5000 }, (_, n) => n))
  })

  it('P4 println of what EDN cannot carry rejects with `encode`, and writes nothing', async ({ lab }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      ${told}
      const cycle: any = []
      cycle.push(cycle)
      class Custom {}
      const bad = [() => {}, [() => {}], Symbol('x'), cycle, { a: [new Custom()] }, new WeakMap(), new Map([[1, cycle]])]
      const results = []
      for (const value of bad) results.push(await told(println(value)))
      await println(results.map(r => r.code))
      await println(results[4].data)
      for (const value of [undefined, [undefined]]) await println(value) // nil`)
    expect(await lab.facts(program)).toEqual([
      Array(7).fill('encode'),
      { path: expect.stringContaining('a[0]') },
      null,
      [null],
    ])
  })

  it('P8 stdout.end closes the pipe while the program goes on', async ({ lab }) => {
    const program = lab.program(ts`
      import { log, readln, stdout } from 'wat-vm'
      await stdout.send(1)
      await stdout.end()
      log.info('ended', await stdout.send(2).catch(error => error.code))
      await readln()`)
    const live = lab.start(program)
    expect(await live.stdout.end()).toBe('1\n')
    expect(await live.stderr.line()).toContain(':data "offline"')
    expect(await live.end()).toMatchObject({ code: 0 })
  })

  it('P18 an unread stdin does not keep it alive, an open one that is read does', async ({ lab }) => {
    const unread = lab.start(
      lab.program(ts`
      import { println } from 'wat-vm'
      await println(1)`),
    )
    expect(await unread.ended).toMatchObject({ code: 0, stdout: '1\n' }) // its stdin is still open
    const reading = lab.start(
      lab.program(ts`
      import { println, readln } from 'wat-vm'
      readln().then(println)`),
    )
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(await reading.end('5')).toMatchObject({ code: 0, stdout: '5\n' })
  })

  it('P18 an open stdin that was read before does not keep it alive', async ({ lab }) => {
    const live = lab.start(
      lab.program(ts`
      import { println, readln } from 'wat-vm'
      await println(await readln())`),
    )
    live.write('1\n')
    expect(await live.ended).toMatchObject({ code: 0, stdout: '1\n' }) // its stdin is still open
  })

  it('P18 values that nobody reads, and what comes after the end of the program, do no harm', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      await println('done')`)
    expect(await lab.run(program, { input: '1 2 3 '.repeat(100_000) })).toMatchObject({
      code: 0,
      stdout: '"done"\n',
    })
  })

  it('P24 megabytes printed without waiting all arrive, with process.exit in mid-work too', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      for (let n = 0; n < 5000; n++) println([n, 'x'.repeat(1000)])
      setInterval(() => {}, 1000)
      process.exit(7)`)
    const live = lab.start(program)
    live.pauseReading()
    setTimeout(() => live.resumeReading(), 500)
    const outcome = await live.end()
    expect(outcome).toMatchObject({ code: 7, stderr: '' })
    const lines = outcome.stdout.split('\n')
    expect(lines).toHaveLength(5001)
    expect(lines[4999]?.length).toBe(1009)
  })

  it('P24 process.exit from a later tick, after an awaited value, loses nothing either', async ({ lab }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      await println('first')
      for (let n = 0; n < 3000; n++) println('x'.repeat(1000))
      setTimeout(() => process.exit(), 1)
      for (let n = 0; n < 3000; n++) println('y'.repeat(1000))`)
    const { stdout, code } = await lab.run(program)
    expect([code, stdout.length]).toEqual([0, 8 + 6000 * 1003])
  })

  it('P24 what console.log wrote before the end arrives whole as well', async ({ lab }) => {
    const program = lab.program(ts`
      for (let n = 0; n < 1000; n++) console.log('x'.repeat(1000))
      console.log('the end')`)
    const live = lab.start(program)
    live.pauseReading('stderr')
    setTimeout(() => live.resumeReading('stderr'), 500)
    const { stderr, code } = await live.end()
    expect([code, stderr.length, stderr.slice(-8)]).toEqual([0, 1000 * 1001 + 8, 'the end\n'])
  })
})
