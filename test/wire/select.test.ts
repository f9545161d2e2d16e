import { describe, expect, it, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

describe('select', () => {
  it('P14 gives whichever has a value first, and loses none of the others', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, select, spawnProcess } from 'wat-vm'
        const url = new URL('./child.ts', import.meta.url)
        const children = [0, 1, 2].map(n => spawnProcess(url, { args: [String(n)] }))
        const open = new Map(children.map(child => [child.stdout, child]))
        const seen: number[][] = [[], [], []]
        while (open.size > 0) {
          const receiver = await select(open.keys())
          const value = await receiver.recv()
          if (value === undefined) open.delete(receiver)
          else seen[children.findIndex(child => child.stdout === receiver)]!.push(value)
        }
        const all = seen.map(list => list.length === 500 && list.every((value, n) => value === n))
        await println(all)`,
      'child.ts': ts`
        import { setTimeout } from 'node:timers/promises'
        import { println, self } from 'wat-vm'
        for (let n = 0; n < 500; n++) {
          await println(n)
          if (n % 100 === Number(self.args[0])) await setTimeout(3)
        }`,
    })
    expect(await lab.facts(program)).toEqual([[true, true, true]])
  })

  it('P14 waits for a value, also beside the own stdin, and an end counts', async ({ lab }) => {
    const program = lab.program({
      'parent.ts': ts`
        import { println, select, spawnProcess, stdin } from 'wat-vm'
        const child = spawnProcess(new URL('./child.ts', import.meta.url))
        await println('waiting')
        const first = await select([child.stdout, stdin])
        await println([first === stdin, await first.recv()])
        await child.stdin.send('go')
        const second = await select([stdin, child.stdout])
        await println([second === child.stdout, await second.recv()])
        const third = await select([child.stdout, stdin])
        await println([third === stdin, (await third.recv()) ?? 'end'])`,
      'child.ts': ts`
        import { println, readln } from 'wat-vm'
        await println(await readln())
        await readln()`,
    })
    const live = lab.start(program)
    expect(await live.stdout.line()).toBe('"waiting"')
    live.write('1\n')
    expect(await live.stdout.line()).toBe('[true 1]')
    expect(await live.stdout.line()).toBe('[true "go"]')
    expect(await live.end()).toMatchObject({ code: 0, stdout: expect.stringMatching(/\[true "end"\]\n$/) })
  })

  it('P14 several at once on the same receiver all see the value, and one takes it', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, select, stdin } from 'wat-vm'
      const both = await Promise.all([select([stdin]), select([stdin])])
      await println(both.every(receiver => receiver === stdin))
      await println(await stdin.recv())
      await println((await stdin.recv()) ?? 'end')
      await select([]).catch(error => println(error.name))`)
    expect(await lab.facts(program, { input: '7' })).toEqual([true, 7, 'end', 'TypeError'])
  })

  it('P14 leaving a loop over a receiver keeps what it did not read', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, stdin } from 'wat-vm'
      for await (const value of stdin) if (value === 2) break
      await println(await stdin.recv())
      for await (const value of stdin) await println(value)
      stdin.close()
      await println((await stdin.recv()) ?? 'closed')`)
    expect(await lab.facts(program, { input: '1 2 3 4 5' })).toEqual([3, 4, 5, 'closed'])
  })

  it('P18 what select did not choose does not keep the program alive', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, select, self, spawnProcess, stdin } from 'wat-vm'
      const child = spawnProcess(self.args[0]!)
      await select([child.stdout, stdin])
      await println('done')`)
    expect(await lab.facts(program, { input: '1', args: [fixture('double.ts')] })).toEqual(['done'])
  })
})
