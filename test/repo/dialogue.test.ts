import { blocks } from './sources.ts'
import { describe, expect, it } from '../support/lab.ts'

const PROTOCOL = 'docs/protocol.md'

describe('the worked example of docs/protocol.md', () => {
  it('P15 P83 P84 is what a parent and a wat-vm say, to the byte', async ({ lab }) => {
    const [program = ''] = blocks(PROTOCOL, 'ts').filter(body => body.startsWith('// kid.ts'))
    const [dialogue = ''] = blocks(PROTOCOL, 'text').filter(body => body.startsWith('←'))
    const lines = dialogue.split('\n').filter(line => /^[←→]/.test(line))
    expect(lines.length).toBeGreaterThan(20)

    const kid = lab.start(lab.program(program), { env: { WAT_ADDRESS: '/kid', WAT_PROTOCOL: '2' } })
    for (const line of lines) {
      const frame = line.slice(1).trim()
      if (line.startsWith('→')) kid.write(`${frame}\n`)
      else expectFrame(await kid.stdout.line(), frame)
    }
    const { code, stderr } = await kid.ended
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  })
})

function expectFrame(said = 'nothing', frame: string): void {
  const shown = said.replace(/:pid \d+/, ':pid 4242')
  const [start = '', end] = frame.split(' … ') // something is left out
  if (end === undefined) expect(shown).toBe(frame)
  else expect([shown.slice(0, start.length), shown.slice(-end.length)]).toEqual([start, end.trim()])
}
