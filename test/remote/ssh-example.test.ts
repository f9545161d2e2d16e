import path from 'node:path'
import { describe, expect } from '../support/lab.ts'
import { repository } from '../support/machine.ts'
import { it, sshdMissing } from '../support/sshd.ts'

const example = path.join(repository, 'examples/ssh.ts')

describe(`the example ssh${sshdMissing ? ` (${sshdMissing})` : ''}`, () => {
  it.skipIf(sshdMissing)(
    'P36 P40 P46 P47 P48 over a real OpenSSH it shows the same',
    async ({ lab, host }) => {
      const facts = await lab.facts(example, { args: host.ssh })
      expect(facts).toMatchObject([
        { program: 'function' },
        { program: 'file', args: ['', facts[0].env] },
        { call: 'offline', survivors: 0 },
      ])
      expect(host.log.match(/Accepted publickey/g)).toHaveLength(3)
    },
  )
})
