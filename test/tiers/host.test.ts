import { describe, expect, it, ts } from '../support/lab.ts'
import { wat } from '../support/machine.ts'
import { secretFile } from './tiers.ts'

describe('wat host', () => {
  it('P33 P48 as a child it is asked to stop like any other, not signalled', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self, spawnProcess, spawnRemote } from 'wat-vm'
      const [wat, secret] = self.args as [string, string]
      const args = ['host', 'tcp://127.0.0.1:0', '--secret', secret]
      const host = spawnProcess<never, never>({ command: wat, args })
      const at: string = (await host.stdout.recv())!
      const remote = spawnRemote<number, number>(({ serve }) => serve((n: number) => n + 1), { at, secret })
      await println(await remote.call(1))
      await println(await host.stop())`)
    const facts = await lab.facts(program, { args: [wat, secretFile(lab)] })
    expect(facts).toEqual([2, { code: 0 }])
  })
})
