import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, ts } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'
import { it as withNetns, netnsMissing } from '../support/netns.ts'
import { it as withSshd, startSshd, sshdMissing } from '../support/sshd.ts'

const why = (reason: string | false) => (reason ? ` (${reason})` : '')

describe(`a host behind ssh${why(sshdMissing)}`, () => {
  const it = withSshd.skipIf(sshdMissing)

  it('P15 carries bytes and the exit code of a command', async ({ lab, host }) => {
    const [ssh, ...args] = host.ssh
    const { stdout, stderr, code } = await lab.command(ssh, [...args, 'cat; exit 7']).end('a\0b\n')
    expect({ stdout, stderr, code }).toEqual({ stdout: 'a\0b\n', stderr: '', code: 7 })
  })

  it('P15 runs wat: the wire goes through ssh as through a pipe', async ({ lab, host }) => {
    const [ssh, ...args] = host.ssh
    const plain = await lab.command(ssh, [...args, 'wat', fixture('double.ts')]).end('21\n')
    expect(plain).toMatchObject({ stdout: '42\n', code: 0 })
    const command = `WAT_ADDRESS=/far exec wat ${fixture('careful-double.ts')}`
    const framed = await lab
      .command(ssh, [...args, command])
      .end('#wat/req [1 21]\n#wat/stop {:grace-ms 2000}\n')
    expect(framed.stdout).toMatch(/^#wat\/ready .* :address "\/far"\}\n#wat\/rep \[1 42\]\n$/)
    expect(framed).toMatchObject({ stderr: expect.stringContaining('"hook"'), code: 0 })
  })

  it('P15 P36 a connection that is dropped ends its wat, and the next one is served', async ({
    lab,
    host,
  }) => {
    const [ssh, ...args] = host.ssh
    const live = lab.command(ssh, [...args, 'wat', fixture('double.ts')])
    live.write('4\n')
    expect(await live.stdout.line()).toBe('8')
    host.drop()
    expect((await live.ended).code).toBe(255)
    expect(await lab.command(ssh, [...args, 'echo again']).end()).toMatchObject({
      stdout: 'again\n',
      code: 0,
    })
  })
})

describe(`another host by a network namespace${why(netnsMissing)}`, () => {
  const it = withNetns.skipIf(netnsMissing)
  const itBoth = withNetns.skipIf(netnsMissing || sshdMissing)
  const echo = ts`
    require('node:net').createServer(socket => socket.pipe(socket).on('error', () => {}))
      .listen(7000, '0.0.0.0', () => console.log('listening'))`

  it('P15 answers over TCP; when the network is cut, silence; when it is healed, what was sent', async ({
    lab,
    other,
  }) => {
    const [ip, ...args] = other.exec
    const server = lab.command(ip, [...args, process.execPath, '-e', echo])
    expect(await server.stdout.line()).toBe('listening')
    const socket = connect(7000, other.address)
    const events: string[] = []
    for (const name of ['end', 'error', 'close']) socket.on(name, () => events.push(name))
    socket.setEncoding('utf8').on('data', (text: string) => events.push(text))
    await once(socket, 'connect')
    socket.write('before')
    await once(socket, 'data')
    other.cut()
    socket.write('meanwhile')
    await pause(1500)
    expect(events).toEqual(['before'])
    other.heal()
    await once(socket, 'data')
    expect(events).toEqual(['before', 'meanwhile'])
    socket.destroy()
    server.signal('SIGKILL')
    await server.ended
  })

  it('P15 hears nothing of the death of the other side while it is cut', async ({ lab, other }) => {
    const [ip, ...args] = other.exec
    const server = lab.command(ip, [...args, process.execPath, '-e', echo])
    await server.stdout.line()
    const socket = connect(7000, other.address)
    const events: string[] = []
    for (const name of ['end', 'error', 'close']) socket.on(name, () => events.push(name))
    await once(socket, 'connect')
    other.cut()
    server.signal('SIGKILL')
    await server.ended
    await pause(500)
    expect(events).toEqual([])
    socket.destroy()
  })

  itBoth('P15 is reached over ssh, which hangs while it is cut', async ({ lab, other }) => {
    const host = await startSshd(lab, other)
    try {
      const [ssh, ...args] = host.ssh
      const live = lab.command(ssh, [...args, 'wat', fixture('double.ts')])
      live.write('4\n')
      expect(await live.stdout.line()).toBe('8')
      other.cut()
      live.write('5\n')
      await pause(500)
      expect(live.stdout.text).toBe('8\n')
      other.heal()
      expect(await live.stdout.line()).toBe('10')
      expect((await live.end()).code).toBe(0)
    } finally {
      await host.close()
    }
  })
})
