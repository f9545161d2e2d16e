import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import net from 'node:net'
import path from 'node:path'
import { MAX_UNIX_PATH_BYTES } from '../../runtime/net/address.ts'
import { HANDSHAKE_MS } from '../../runtime/net/auth.ts'
import { MAX_BACKLOG } from '../../runtime/net/server.ts'
import { claimName, identify } from '../../runtime/net/socket-file.ts'
import { Lab } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'
import { describe, expect, failure, it as base } from './site.ts'

const it = base.extend<{ lab: Lab }>({
  lab: async ({ task }, use) => {
    const lab = new Lab()
    await use(lab)
    await lab.close(task.result?.state === 'fail')
  },
})

describe('P45 the folder of a socket', () => {
  it('P45 is made with mode 0700, the socket with 0600, and nothing else is in it', async ({ site }) => {
    const folder = path.join(site.folder(), 'deep', 'below')
    const server = await site.echo(`unix:${folder}/socket`)
    expect(statSync(path.dirname(folder)).mode & 0o777).toBe(0o700)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(statSync(`${folder}/socket`).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['socket'])
    await site.honest(server.address)
    await server.close()
    expect(readdirSync(folder)).toEqual([])
  })

  it.for(['0750', '0705', '0710', '0701', '0777', '1777'])(
    'P45 with mode %s is refused by name and mode',
    async (mode, { site }) => {
      const folder = site.folder()
      chmodSync(folder, parseInt(mode, 8))
      const { code, message } = await failure(site.echo(`unix:${folder}/socket`))
      expect(code).toBe('denied')
      expect(message).toContain(`others can get into its folder ${folder} (mode ${mode})`)
      expect(readdirSync(folder)).toEqual([])
    },
  )

  it.runIf(process.geteuid?.() === 0)('P45 of another user is refused by name', async ({ site }) => {
    const folder = site.folder()
    chownSync(folder, 12_345, 12_345)
    const { code, message } = await failure(site.echo(`unix:${folder}/socket`))
    expect(code).toBe('denied')
    expect(message).toContain(`${folder} belongs to user 12345`)
  })

  it('P45 that cannot be made is refused by name', async ({ site }) => {
    const file = path.join(site.folder(), 'file')
    writeFileSync(file, '')
    const { code, message } = await failure(site.echo(`unix:${file}/socket`))
    expect(code).toBe('denied')
    expect(message).toContain(`unix:${file}/socket: `)
  })

  it('P45 may have a path as long as the system takes, and is refused by name beyond', async ({ site }) => {
    const folder = site.folder()
    const room = MAX_UNIX_PATH_BYTES - Buffer.byteLength(`${folder}/`)
    const longest = `unix:${folder}/${'x'.repeat(room)}`
    await site.honest((await site.echo(longest)).address)
    for (const act of [site.echo(`${longest}x`), site.dial(`${longest}x`)]) {
      const { code, message } = await failure(act)
      expect([code, message.includes(`at most ${MAX_UNIX_PATH_BYTES} bytes`)]).toEqual(['denied', true])
    }
    const deep = `${folder}/${'y'.repeat(room - 3)}`
    const { code, message } = await failure(site.echo(`unix:${deep}/z`))
    expect([code, message]).toEqual([
      'denied',
      `unix:${deep}/z: the path of its folder ${deep} is 6 bytes too long for this system`,
    ])
  })
})

describe('P45 the name of a socket', () => {
  it('P45 that is live is refused, and its server not disturbed', async ({ site }) => {
    const { address } = await site.echo(site.unix())
    const { code, message, data } = await failure(site.echo(address))
    expect([code, message, data]).toEqual(['denied', `${address}: in use`, { code: 'EADDRINUSE' }])
    await site.honest(address)
    expect(readdirSync(path.dirname(file(address)))).toEqual(['socket'])
  })

  it('P45 that is dead is taken over', async ({ site }) => {
    const address = site.unix()
    await dead(file(address))
    expect(await failure(site.dial(address))).toMatchObject({
      code: 'offline',
      data: { code: 'ECONNREFUSED' },
    })
    await site.honest((await site.echo(address)).address)
    expect(readdirSync(path.dirname(file(address)))).toEqual(['socket'])
  })

  it('P45 that nobody has is offline', async ({ site }) => {
    const address = site.unix()
    expect(await failure(site.dial(address))).toMatchObject({
      code: 'offline',
      message: `${address}: nobody listens there`,
      data: { code: 'ENOENT' },
    })
  })

  it('P45 of a file, a folder or a link that is no socket is refused, and left alone', async ({ site }) => {
    const live = await site.echo(site.unix())
    const makers: ((name: string) => void)[] = [
      name => writeFileSync(name, 'precious'),
      name => mkdirSync(name),
      name => symlinkSync('/nowhere', name),
      name => symlinkSync(file(live.address), name),
    ]
    for (const make of makers) {
      const address = site.unix()
      make(file(address))
      const before = identify(file(address))
      const { code, message } = await failure(site.echo(address))
      expect([code, message]).toEqual([
        'denied',
        `${address}: there is a file of that name that is no socket`,
      ])
      expect(identify(file(address))).toBe(before)
      expect(readdirSync(path.dirname(file(address)))).toEqual(['socket'])
    }
  })

  it('P45 goes with a close, but not when another server has it meanwhile', async ({ site }) => {
    const address = site.unix()
    const first = await site.echo(address)
    rmSync(file(address)) // somebody tidies up
    const second = await site.echo(address)
    await first.close()
    await site.honest(address)
    await second.close()
    expect(existsSync(file(address))).toBe(false)
  })

  it('P45 is relative to the working directory, and absolute in what the server says', async ({ site }) => {
    const address = site.unix()
    const server = await site.echo(`unix:${path.relative('.', file(address))}`)
    expect(server.address).toBe(address)
    await site.honest(address)
  })
})

describe('P45 a process with a socket', () => {
  it('P45 that closes or exits takes the file along', async ({ site, lab }) => {
    for (const how of ['close', 'exit']) {
      const address = site.unix()
      const server = lab.command(process.execPath, [fixture('echo-server.ts'), address])
      expect(await server.stdout.line()).toBe(address)
      await site.honest(address)
      expect((await server.end(`${how}\n`)).code).toBe(0)
      expect(readdirSync(path.dirname(file(address)))).toEqual([])
    }
  })

  it('P45 that is killed leaves a dead one, which the next takes over', async ({ site, lab }) => {
    const address = site.unix()
    for (let n = 0; n < 3; n++) {
      const server = lab.command(process.execPath, [fixture('echo-server.ts'), address])
      expect(await server.stdout.line()).toBe(address)
      await site.honest(address)
      server.signal('SIGKILL')
      await server.ended
      expect(readdirSync(path.dirname(file(address)))).toEqual(['socket'])
    }
    await site.honest((await site.echo(address)).address)
  })

  it('P45 that is stopped is live all the same', async ({ site, lab }) => {
    const address = site.unix()
    const server = lab.command(process.execPath, [fixture('echo-server.ts'), address])
    expect(await server.stdout.line()).toBe(address)
    server.signal('SIGSTOP')
    expect(await failure(site.echo(address))).toMatchObject({ code: 'denied', message: `${address}: in use` })
    server.signal('SIGCONT')
    await site.honest(address)
    await server.end('close\n')
  })

  it('P45 that has a full queue is no dead one, and a client waits for a place in it', async ({
    site,
    lab,
  }) => {
    const address = site.unix()
    const server = lab.command(process.execPath, [fixture('echo-server.ts'), address])
    expect(await server.stdout.line()).toBe(address)
    server.signal('SIGSTOP')
    let code: string | undefined
    for (let n = 0; code === undefined && n <= MAX_BACKLOG + 1; n++) {
      code = await site.raw(address).then(
        () => undefined,
        error => error.code,
      )
    }
    expect(code).toBe('EAGAIN')
    expect(await failure(site.echo(address))).toMatchObject({ code: 'denied', message: `${address}: in use` })
    expect(await failure(site.dial(address, { timeoutMs: 100 }))).toMatchObject({ code: 'timeout' })
    const waiting = site.honest(address)
    server.signal('SIGCONT')
    await waiting
    await server.end('exit\n')
  })

  it('P45 one of many that race for a dead name gets it, and nobody removes what it got', async ({
    site,
    lab,
  }) => {
    const rivals = Array.from({ length: 4 }, () =>
      lab.command(process.execPath, [fixture('socket-rival.ts')]),
    )
    for (const rival of rivals) expect(await rival.stdout.line()).toBe('ready')
    for (let round = 0; round < 40; round++) {
      const address = site.unix()
      await dead(file(address))
      for (const rival of rivals) rival.write(`${address}\n`)
      const lines = await Promise.all(rivals.map(rival => rival.stdout.line()))
      const results = lines.flatMap(line => (line ?? '').split('|')).sort()
      expect(results).toEqual([...Array.from({ length: 11 }, () => `${address}: in use`), 'won'])
      await site.honest(address)
      expect(readdirSync(path.dirname(file(address)))).toEqual(['socket'])
      for (const rival of rivals) rival.write('-\n')
      for (const rival of rivals) expect(await rival.stdout.line()).toBe('closed')
      expect(readdirSync(path.dirname(file(address)))).toEqual([])
    }
    for (const rival of rivals) await rival.end()
  })
})

describe('P45 the claim on a dead socket', () => {
  it('P45 that died with its holder is taken over too, at any depth', async ({ site }) => {
    const address = site.unix()
    let name = file(address)
    for (let depth = 0; depth < 3; depth++) {
      await dead(name)
      name = claimName(name, identify(name) ?? '')
    }
    expect(readdirSync(path.dirname(name)).length).toBe(3)
    await site.honest((await site.echo(address)).address)
    expect(readdirSync(path.dirname(name))).toEqual(['socket'])
  })

  it('P45 that another holds is respected', async ({ site }) => {
    const address = site.unix()
    await dead(file(address))
    const before = identify(file(address))
    const holder = net.createServer().listen(claimName(file(address), before ?? ''))
    await new Promise(resolve => holder.once('listening', resolve))
    expect(await failure(site.echo(address))).toMatchObject({ code: 'denied' })
    expect(identify(file(address))).toBe(before)
    await new Promise(resolve => holder.close(resolve))
    await site.honest((await site.echo(address)).address)
  })
})

describe('P44 a server without descriptors', () => {
  it('P44 that are all taken by strangers lives on, and serves again when their time is up', async ({
    site,
    lab,
  }) => {
    const address = site.unix()
    const server = lab.command('sh', [
      '-c',
      'ulimit -n 60; exec "$@"',
      'sh',
      process.execPath,
      fixture('echo-server.ts'),
      address,
    ])
    expect(await server.stdout.line()).toBe(address)
    const strangers = await Promise.all(Array.from({ length: 200 }, () => site.raw(address)))
    for (const socket of strangers) socket.on('end', () => socket.destroy()).resume()
    const taken = (): number => readdirSync(`/proc/${server.pid}/fd`).length
    await site.until(() => taken() >= 59, 'it has descriptors left')
    // libuv accepts and closes whom it has no descriptor for; the deadline of those who have one frees it.
    const ends = performance.now() + HANDSHAKE_MS + 3000
    const served = (): Promise<boolean> =>
      site.honest(address).then(
        () => true,
        () => false,
      )
    while (!(await served())) {
      expect(performance.now()).toBeLessThan(ends)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    for (let n = 0; n < 20; n++) await site.honest(address)
    expect((await server.end('close\n')).code).toBe(0)
  })
})

function file(address: string): string {
  return address.slice('unix:'.length)
}

/** A socket as a killed process leaves it: Node removes the name it has bound to, not the other. */
async function dead(name: string): Promise<void> {
  const bound = path.join(path.dirname(name), 'bound')
  const server = net.createServer().listen(bound)
  await new Promise(resolve => server.once('listening', resolve))
  linkSync(bound, name)
  await new Promise(resolve => server.close(resolve))
}
