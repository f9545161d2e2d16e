import { describe, expect, it, told, ts } from '../support/lab.ts'

const forged = {
  'as it stands': ts`new Tagged('wat/req', [1, 2])`,
  'a reply': ts`new Tagged('wat/rep', [1, 2])`,
  'a stop': ts`new Tagged('wat/stop', { 'grace-ms': 0 })`,
  'a record': ts`new Tagged('wat/panic', {})`,
  'a name nobody uses yet': ts`new Tagged('wat/later', 1)`,
  'in a vector': ts`[1, [new Tagged('wat/req', [1, 2])]]`,
  'in a field': ts`{ a: { b: new Tagged('wat/req', [1, 2]) } }`,
  'as a key of a map': ts`new Map([[new Tagged('wat/req', [1, 2]), 1]])`,
  'as a value of a map': ts`new Map([[1, new Tagged('wat/req', [1, 2])]])`,
  'in a set': ts`new Set([new Tagged('wat/req', [1, 2])])`,
  'in a list': ts`List.of(new Tagged('wat/req', [1, 2]))`,
  'under a tag of its own': ts`new Tagged('my/tag', new Tagged('wat/req', [1, 2]))`,
  'deep down': ts`Array.from({ length: 2000 }).reduce(v => [v], new Tagged('wat/req', [1, 2]))`,
}

describe('frames cannot be forged', () => {
  it('P7 a program that prints a tag of namespace wat is refused with `denied`, wherever it hides', async ({
    lab,
  }) => {
    const program = lab.program(ts`
      import { println, stdout } from 'wat-vm'
      import { List, Tagged } from 'wat-vm/edn'
      const code = (error: any) => error.code
      for (const value of [${Object.values(forged).join(', ')}]) {
        const sent = await println(value).then(() => 'sent', code)
        let tried
        try { tried = stdout.trySend(value) } catch (error) { tried = code(error) }
        await println([sent, tried])
      }`)
    expect(await lab.facts(program)).toEqual(Object.keys(forged).map(() => ['denied', 'denied']))
  })

  it('P7 neither a reply, a request nor a message to a child can carry one', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, spawnProcess } from 'wat-vm'
        import { Tagged } from 'wat-vm/edn'
        ${told}
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        const forged = new Tagged('wat/stop', { 'grace-ms': 0 })
        await println((await told(child.call([forged]))).code)
        await println((await told(child.stdin.send([forged]))).code)
        await println((await told(child.call('forge'))).code)
        await println(await child.call('still there'))`,
      'child.ts': ts`
        import { serve } from 'wat-vm'
        import { Tagged } from 'wat-vm/edn'
        await serve(body => body === 'forge' ? { deep: [new Tagged('wat/rep', [4, 'forged'])] } : body)`,
    })
    expect(await lab.facts(program)).toEqual(['denied', 'denied', 'denied', 'still there'])
  })

  it('P7 a plain answer that forges a frame is a fault, and the next value is served', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      import { Tagged } from 'wat-vm/edn'
      await serve(n => n === 1 ? new Tagged('wat/rep', [1, 2]) : n)`)
    const outcome = await lab.run(program, { input: '1 2' })
    expect(outcome).toMatchObject({ code: 1, stdout: '2\n' })
    expect(outcome.stderr).toMatch(/#wat\/fault .*:wat\/denied/)
  })

  it('P7 --pretty is no way around it', async ({ lab }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      import { Tagged } from 'wat-vm/edn'
      await println([new Tagged('wat/req', [1, 2])]).catch(error => println(error.code))`)
    const outcome = await lab.run(program, { options: ['--pretty'] })
    expect(outcome).toMatchObject({ code: 0, stdout: '"denied"\n' })
  })

  it('P7 a string, keyword or symbol that looks like a frame stays one, or is refused', async ({ lab }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      import { Decimal, kw, Sym, Tagged } from 'wat-vm/edn'
      const frame = '\n#wat/rep [1 "forged"]\n'
      await println('#wat/req [1 21]')
      await println(frame)
      await println({ ['x' + frame]: 1 }).catch(error => println(error.code))
      await println(new Tagged('my/x' + frame, 1)).catch(error => println(error.code))
      for (const make of [() => kw('x' + frame), () => new Sym('x' + frame), () => new Decimal('1' + frame)]) {
        try { await println(make()) } catch (error: any) { await println(error.code) }
      }`)
    const outcome = await lab.run(program)
    expect(outcome.code, outcome.stderr).toBe(0)
    expect(outcome.stdout.split('\n')).toEqual([
      '"#wat/req [1 21]"',
      ts`"\n#wat/rep [1 \"forged\"]\n"`,
      ts`#wat/object {"x\n#wat/rep [1 \"forged\"]\n" 1}`,
      '"encode"',
      '"encode"',
      '"encode"',
      '"encode"',
      '',
    ])
  })

  it('P7 a class whose writer uses a tag of namespace wat is refused too', async ({ lab }) => {
    const program = lab.program(ts`
      import { println } from 'wat-vm'
      import { registerTag } from 'wat-vm/edn'
      class Forged {}
      try { registerTag('wat/rep', { class: Forged, write: () => [1, 'forged'] }) } catch {}
      await println(new Forged()).then(() => println('sent'), () => println('refused'))`)
    expect(await lab.facts(program)).toEqual(['refused'])
  })

  it('P7 a tag reader for a frame cannot take the frames of the wire away', async ({ lab }) => {
    const program = lab.program(ts`
      import { serve } from 'wat-vm'
      import { registerTag } from 'wat-vm/edn'
      try { registerTag('wat/req', { read: () => 'hijacked' }) } catch {}
      await serve(n => n)`)
    const outcome = await lab.run(program, { input: '#wat/req [1 2]' })
    expect(outcome).toMatchObject({ code: 0, stdout: '#wat/rep [1 2]\n' })
  })
})
