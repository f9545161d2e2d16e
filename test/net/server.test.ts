import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import tls from 'node:tls'
import { HANDSHAKE_MS } from '../../runtime/net/auth.ts'
import { MAX_UNFINISHED } from '../../runtime/net/server.ts'
import { all, describe, event, expect, failure, hmac, it, resources, SECRET, some } from './site.ts'

const ANY = 'tcp://127.0.0.1:0'

describe('P44 a server at an address', () => {
  it('P44 asked for port 0 says which it got, and serves there', async ({ site }) => {
    for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
      const { address } = await site.echo(`tcp://${host}:0`)
      expect(address).toMatch(/^tcp:\/\/.+:[1-9]\d+$/)
      expect(address.startsWith(`tcp://${host}:`)).toBe(true)
      await site.honest(address)
    }
    expect(await failure(site.dial(ANY))).toMatchObject({ code: 'denied' })
  })

  it('P44 that is in use is refused, and free after a close that leaves connections alone', async ({
    site,
  }) => {
    const server = await site.echo(ANY)
    const { code, message, data } = await failure(site.echo(server.address))
    expect([code, message]).toEqual(['denied', `${server.address}: in use`])
    expect(data).toEqual({ code: 'EADDRINUSE' })
    const stream = await site.dial(server.address)
    const unfinished = await site.raw(server.address)
    await some(unfinished, 32)
    await server.close()
    await server.close()
    expect((await all(unfinished)).length).toBe(0)
    expect(await failure(site.dial(server.address))).toMatchObject({
      code: 'offline',
      message: `${server.address}: nobody listens there`,
      data: { code: 'ECONNREFUSED' },
    })
    await site.honest((await site.echo(server.address)).address)
    stream.end('still served')
    expect(String(await all(stream))).toBe('still served')
  })

  it('P44 that this host does not have, or that nobody has, is offline', async ({ site }) => {
    expect(await failure(site.echo('tcp://192.0.2.1:0'))).toMatchObject({
      code: 'offline',
      message: 'tcp://192.0.2.1:0: this host has no such address',
      data: { code: 'EADDRNOTAVAIL' },
    })
    expect(await failure(site.echo('tcp://nobody.invalid:0'))).toMatchObject({ code: 'offline' })
    expect(await failure(site.dial('tcp://nobody.invalid:7'))).toMatchObject({ code: 'offline' })
    expect(await failure(site.echo('http://localhost'))).toMatchObject({ code: 'denied' })
    expect(await failure(site.dial('http://localhost'))).toMatchObject({ code: 'denied' })
  })
})

describe('P44 time is short', () => {
  it('P44 whoever stalls is closed at the deadline, at every byte of the handshake', async ({ site }) => {
    const server = await site.echo(ANY, {}, 800)
    const stalls = Array.from({ length: 64 }, async (_, bytes) => {
      const raw = await site.raw(server.address)
      const started = performance.now()
      raw.write((await goodAnswer(raw)).subarray(0, bytes))
      expect((await all(raw)).length).toBe(0)
      return performance.now() - started
    })
    for (const ms of await Promise.all(stalls)) expect(ms).toBeGreaterThan(700)
    await site.honest(server.address)
    expect(server.given.length).toBe(1)
  })

  it('P44 of 3 s neither a client nor a server that dribbles gets more', async ({ site }) => {
    const server = await site.echo(ANY, {}, HANDSHAKE_MS)
    const { address } = server
    const rogue = await site.rogue(socket => dribble(socket, 32))
    const silent = await site.rogue(() => {})
    const times = await Promise.all([
      timed(async () => {
        const raw = await site.raw(address)
        dribble(raw, 64)
        expect((await all(raw)).length).toBe(32)
      }),
      timed(async () => expect(await failure(site.dial(rogue))).toMatchObject({ code: 'timeout' })),
      timed(async () => expect(await failure(site.dial(silent))).toMatchObject({ code: 'timeout' })),
    ])
    for (const ms of times) {
      expect(ms).toBeGreaterThan(2900)
      expect(ms).toBeLessThan(4500)
    }
    await site.honest(address)
    expect(server.given.length).toBe(1)
  })

  it('P44 a client gives up after its timeoutMs', async ({ site }) => {
    const silent = await site.rogue(() => {})
    const { code, message } = await failure(site.dial(silent, { timeoutMs: 100 }))
    expect([code, message]).toEqual(['timeout', `${silent}: not connected within 100 ms`])
  })

  it('P44 is over with the handshake: who is slow afterwards is not closed', async ({ site }) => {
    const { address } = await site.echo(ANY, {}, 600)
    const stream = await site.dial(address, { timeoutMs: 600 })
    await new Promise(resolve => setTimeout(resolve, 900))
    stream.end('slow')
    expect(String(await all(stream))).toBe('slow')
  })
})

describe('P44 strangers', () => {
  const strangers: Record<string, (socket: Socket) => void> = {
    'a browser': socket => void socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(3)),
    'a TLS client': socket => void tls.connect({ socket }).on('error', () => {}),
    noise: socket => void socket.write(randomBytes(64)),
    'a megabyte of noise': socket => void socket.write(randomBytes(1024 * 1024)),
    'a frame without a handshake': socket => void socket.write(`#wat/req [1 ${'x'.repeat(60)}]\n`),
    zeros: socket => void socket.end(Buffer.alloc(64)),
    'nothing but an end': socket => void socket.end(),
  }

  for (const [name, act] of Object.entries(strangers)) {
    it(`P44 ${name}: closed at once, never handed on, and honest clients are served`, async ({ site }) => {
      const server = await site.echo(ANY)
      for (let n = 0; n < 5; n++) {
        const raw = await site.raw(server.address)
        const closed = event(raw, 'close')
        act(raw)
        await site.honest(server.address)
        raw.on('end', () => raw.destroy()).resume()
        await closed
        expect(raw.bytesRead).toBeLessThanOrEqual(32)
      }
      expect(server.given.length).toBe(5)
    })
  }
})

describe('P44 a flood', () => {
  for (const kind of ['tcp', 'unix']) {
    it(`P44 of a thousand half-open connections over ${kind} keeps nobody out`, async ({ site }) => {
      const server = await site.echo(kind === 'tcp' ? ANY : site.unix())
      const before = resources()
      let open = 0
      for (let wave = 0; wave < 10; wave++) {
        const raws = await Promise.all(Array.from({ length: 100 }, () => site.raw(server.address)))
        for (const raw of raws) {
          open += 1
          raw
            .on('end', () => raw.destroy())
            .once('close', () => (open -= 1))
            .resume()
        }
        await Promise.all(Array.from({ length: 5 }, () => site.honest(server.address)))
      }
      expect(server.given.length).toBe(50)
      await site.until(() => open <= MAX_UNFINISHED, `${open} are open`)
      expect(open).toBeGreaterThan(MAX_UNFINISHED - 100)
      // Both ends of each are ours.
      await site.until(() => (resources()[1] ?? 0) - (before[1] ?? 0) <= 2 * open, 'descriptors are left')
      await server.close()
      await site.until(() => open === 0, `${open} are open`)
    })
  }

  it('P44 drops the oldest first', async ({ site }) => {
    const server = await site.echo(ANY)
    const oldest = await site.raw(server.address)
    const challenge = await some(oldest, 32)
    const rest: Socket[] = []
    for (let n = 1; n < MAX_UNFINISHED; n++) {
      rest.push(await site.raw(server.address))
      await some(rest.at(-1) as Socket, 32)
    }
    const [second] = rest as [Socket]
    const last = await site.raw(server.address)
    await some(last, 32)
    expect((await all(oldest)).length).toBe(0)
    expect(challenge.length).toBe(32)
    expect(second.readableEnded).toBe(false)
    await site.honest(server.address) // and this one takes the place of the second
    expect((await all(second)).length).toBe(0)
  })

  it('P44 of connections that come and go leaves nothing behind', async ({ site }) => {
    const server = await site.echo(ANY)
    await site.honest(server.address)
    const before = resources()
    for (let n = 0; n < 300; n++) {
      const raw = await site.raw(server.address)
      if (n % 3 === 0) raw.destroy()
      else if (n % 3 === 1) raw.resetAndDestroy()
      else
        raw
          .end(Buffer.alloc(64))
          .on('end', () => raw.destroy())
          .resume()
      if (n % 10 === 0) await site.honest(server.address)
    }
    await site.until(
      () => resources().every((count, index) => count <= (before[index] ?? 0)),
      'something is left',
    )
  })
})

async function goodAnswer(socket: Socket): Promise<Buffer> {
  return Buffer.concat([hmac(SECRET, 'CLIENT-AUTH', await some(socket, 32)), Buffer.alloc(32)])
}

/** A byte every 50 ms, but the last. */
function dribble(socket: Socket, bytes: number): void {
  let sent = 0
  const timer = setInterval(() => {
    if (++sent < bytes) socket.write('x')
  }, 50)
  socket.once('close', () => clearInterval(timer))
}

async function timed(act: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await act()
  return performance.now() - started
}
