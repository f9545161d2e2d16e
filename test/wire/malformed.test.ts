import { parseAll, type Tagged } from '../../runtime/edn/index.ts'
import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

describe('malformed input', () => {
  const cases: [input: string, stdout: string, line: number, column: number][] = [
    ['1\n  )\n2\n', '1\n2\n', 2, 3],
    ['1\n[1 2)\n3\n', '1\n3\n', 2, 5],
    ['{:a}\n5', '5\n', 1, 4],
    ['1 {:a 1 :a 2} 9\n2', '1\n2\n', 1, 9],
    ['#{1 1}\n2', '2\n', 1, 5],
    ['"\\q"\n2', '2\n', 1, 3],
    ['1 ]', '1\n', 1, 3],
    ['\\newlin\n2', '2\n', 1, 1],
    ['1\r\n}\r\n2', '1\n2\n', 2, 1],
    ['"é" )\n2', '"é"\n2\n', 1, 5],
  ]
  for (const [input, stdout, line, column] of cases) {
    it(`P11 ${JSON.stringify(input)}: reported at ${line}:${column}, the next line served, exit 65`, async ({
      lab,
    }) => {
      const outcome = await lab.run(fixture('echo.ts'), { input })
      expect(outcome).toMatchObject({ code: 65, stdout })
      const faults = parseAll(outcome.stderr) as Tagged<{ type: unknown; data: unknown }>[]
      expect(faults).toHaveLength(1)
      expect(faults[0]?.tag).toBe('wat/fault')
      expect(String(faults[0]?.value.type)).toBe(':wat/malformed')
      expect(faults[0]?.value.data).toMatchObject({ line, column })
    })
  }

  it('P11 end of input inside a form is a fault that says so, exit 65', async ({ lab }) => {
    for (const input of ['1 [1 2', '1 "abc', '1 {:a', '1 #my/tag', '1 #_', '1 #wat/req [1 ']) {
      const outcome = await lab.run(fixture('double.ts'), { input })
      expect(outcome, input).toMatchObject({ code: 65, stdout: expect.stringMatching(/^2\n/) })
      const [fault] = parseAll(outcome.stderr) as Tagged<{ data: unknown }>[]
      expect(fault?.value.data, input).toMatchObject({ incomplete: true, line: 1 })
    }
  })

  it('P11 a malformed request whose id could be read is answered, so that its caller does not wait', async ({
    lab,
  }) => {
    const outcome = await lab.run(fixture('double.ts'), { input: '#wat/req [7 {:a}]\n#wat/req [8 1]\n' })
    expect(outcome.code).toBe(65)
    expect(outcome.stdout).toMatch(/^#wat\/err \[7 \{:type :wat\/malformed .*\n#wat\/rep \[8 2\]\n$/)
  })

  it('P11 bytes that are no UTF-8 are a fault or a replacement, and do no harm to the next line', async ({
    lab,
  }) => {
    const input = Buffer.concat([Buffer.from('"a'), Buffer.from([0xff, 0xc3, 0x28]), Buffer.from('"\n21\n')])
    const outcome = await lab.run(fixture('echo.ts'), { input })
    expect(outcome.stdout).toMatch(/(^|\n)21\n$/)
    expect(outcome.signal).toBe(null)
  })

  it('P11 a thousand broken lines are a thousand faults, and every good one is served', async ({ lab }) => {
    const input = Array.from({ length: 1000 }, (_, n) => `${n}\n]\n`).join('')
    const outcome = await lab.run(fixture('echo.ts'), { input })
    expect(outcome.code).toBe(65)
    expect(outcome.stdout.trim().split('\n').map(Number)).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  })

  it('P11 a reading program, too, gets the next line and the exit code 65', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, readln } from 'wat-vm'
      for (let value; (value = await readln()) !== undefined; ) await println(value)`)
    expect(await lab.run(program, { input: '1\n}\n2\n' })).toMatchObject({ code: 65, stdout: '1\n2\n' })
  })

  it('P3 nesting far past what a call stack takes neither crashes nor hangs', async ({ lab }) => {
    const deep = 200_000
    const input = `${'['.repeat(deep)}${']'.repeat(deep)}\n5\n${'['.repeat(3_000_000)}`
    const outcome = await lab.run(
      lab.program(ts`
      import { serve } from 'wat-vm'
      await serve(value => Array.isArray(value) ? 'deep' : value)`),
      { input },
    )
    expect(outcome).toMatchObject({ code: 65, signal: null, stdout: '"deep"\n5\n' })
  })

  it('P3 a key named __proto__ pollutes nothing', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, serve } from 'wat-vm'
      await serve(value => value)
      await println(({} as any).polluted ?? 'clean')`)
    const input = '{:__proto__ {:polluted 1}} {:constructor {:prototype {:polluted 1}}}'
    const outcome = await lab.run(program, { input })
    expect(outcome.code).toBe(0)
    expect(outcome.stdout).toBe(
      '{:__proto__ {:polluted 1}}\n{:constructor {:prototype {:polluted 1}}}\n"clean"\n',
    )
  })
})
