import { describe, expect, it, ts } from '../support/lab.ts'

describe('ordinary data', () => {
  it('P54 goes through bodies, replies, plain values and given, whatever its names', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, spawnProcess } from 'wat-vm'
      const data = { '@types/node': '1', 'a b': [{ '': undefined }], url: new URL('http://a/b'), none: undefined }
      const kid = spawnProcess(async ({ serve, println }, given) => {
        await println(given)
        await serve(body => ({ body, '1/2': undefined, list: [undefined] }))
      }, { name: 'kid', given: data })
      await println(await kid.stdout.recv())
      await println(await kid.call(data))
      await println([await kid.call(undefined), await (kid as any).call()])
      await kid.stdin.send(undefined)
      await println(await kid.stdout.recv())
      await println(undefined)
      await kid.stop()`)
    const outcome = await lab.run(program)
    expect(outcome.stderr).toBe('')
    const data = '#wat/object {"@types/node" "1" "a b" [{}] "url" "http://a/b"}'
    expect(outcome.stdout.split('\n')).toEqual([
      data,
      `{:body ${data} :list [nil]}`,
      '[{:body nil :list [nil]} {:body nil :list [nil]}]',
      '{:body nil :list [nil]}',
      'nil',
      '',
    ])
    expect(outcome.code).toBe(0)
  })

  it('P54 exits and the results of Promise.allSettled are values, and come as errors', async ({ lab }) => {
    const program = lab.program(ts`
      import { log, println, spawnProcess } from 'wat-vm'
      const kid = spawnProcess(({ serve }) => serve(body => {
        if (body === 'die') return new Promise(() => setTimeout(() => { throw new RangeError('dead') }))
        if (body === 'give') return { given: new TypeError('given', { cause: new Error('why') }) }
        throw new Error('no', { cause: new Error('why') })
      }), { name: 'kid' })
      const settled = await Promise.allSettled([kid.call('no'), kid.call('give'), kid.call('die')])
      await println(settled)
      await println(await kid.exited)
      log.info('told', { settled })
      const echo = spawnProcess(({ serve }) => serve(body => body), { name: 'echo' })
      const [no, give, die] = await echo.call(settled)
      const { reason } = no
      await println([reason.constructor.name, reason.code, reason.message, reason.address, reason.cause.message])
      await println([give.value.given.message, give.value.given.cause.message, give.value.given.data])
      await println([die.reason.code, die.reason.data.exit, die.reason.cause.message])
      await echo.stop()`)
    const outcome = await lab.run(program)
    const lines = outcome.stdout.split('\n')
    expect(lines[0]).toMatch(
      /^\[\{:status "rejected" :reason #wat\/error \{:type :wat\/handler :message "no" /,
    )
    expect(lines[1]).toMatch(
      /^\{:code 2 :panic #wat\/error \{:type :wat\/handler :message "dead" :address "\/kid"/,
    )
    expect(lines.slice(2)).toEqual([
      '["WatError" "handler" "no" "/kid" "why"]',
      '["given" "why" {:name "TypeError"}]',
      '["offline" {:code 2} "dead"]',
      '',
    ])
    expect(outcome.stderr).toMatch(/#wat\/log \{:level :info .*:data \{:settled \[.*#wat\/error /)
    expect(outcome.code).toBe(0)
  })

  it('P55 what a reader would refuse is refused by the send, and nothing is written', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, stdout } from 'wat-vm'
      import { Decimal } from 'wat-vm/edn'
      const changed = Object.assign(new Decimal('1'), { text: '1M\\n#wat/rep [1 2]\\n2' })
      for (const value of [new Set([[1], [1]]), new Map([[1, 'a'], [1n, 'b']] as any), { a: [changed] }]) {
        await println(value).catch(error => println([error.code, error.data.path]))
      }`)
    const outcome = await lab.run(program)
    expect(outcome).toMatchObject({
      code: 0,
      stdout: '["encode" "$"]\n["encode" "$"]\n["encode" "$.a[0]"]\n',
    })
  })

  it('P3 a form that would take its reader long is refused, and the next one is answered', async ({
    lab,
  }) => {
    const program = lab.program(ts`import { serve } from 'wat-vm'; await serve((n: unknown) => n)`)
    const digits = '9'.repeat(1_000_000)
    const input = [`${digits}/${digits}1`, `36r${digits}`, `1e${digits}M`, digits, '42', ''].join('\n')
    const started = performance.now()
    const outcome = await lab.run(program, { input })
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(outcome).toMatchObject({ code: 65, stdout: '42\n' })
    expect(outcome.stderr.match(/:wat\/malformed/g)).toHaveLength(4)
  })
})
