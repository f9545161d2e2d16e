import type { Socket } from 'node:net'
import { duplexPair } from 'node:stream'
import { clientHandshake, clientProof, serverHandshake, serverProof } from '../../runtime/net/auth.ts'
import { all, describe, event, expect, failure, hmac, it, OTHER_SECRET, SECRET, some } from './site.ts'

const ANY = 'tcp://127.0.0.1:0'

describe('P44 the proofs', () => {
  it('P44 are those of the specification', () => {
    const secret = Buffer.alloc(32, 1)
    expect(clientProof(secret, Buffer.alloc(32, 2)).toString('hex')).toBe(
      '27d73cc6f1293e69920c48978c674d21d6803f1b22dc1582a756bc00f0c5eb99',
    )
    expect(serverProof(secret, Buffer.alloc(32, 3)).toString('hex')).toBe(
      'c56513bb0b69db4c33b7c19584c774196a1b4c7be5ea8c40f668d518925a4a9c',
    )
  })

  it('P44 are given and taken by both ends, in pieces of any size', async () => {
    for (let piece = 1; piece <= 70; piece++) {
      const [client, server] = piecewise(piece)
      await Promise.all([clientHandshake(client, SECRET, 'it'), serverHandshake(server, SECRET)])
      client.end('there')
      server.end('back')
      expect([String(await all(server)), String(await all(client))]).toEqual(['there', 'back'])
    }
  })

  it('P44 are new each time: no challenge comes twice', async ({ site }) => {
    const { address } = await site.echo(ANY)
    const seen = new Set<string>()
    for (let n = 0; n < 20; n++) seen.add((await some(await site.raw(address), 32)).toString('hex'))
    expect(seen.size).toBe(20)
  })
})

describe('P44 a client without the secret', () => {
  it('P44 is refused without a word, and whoever knows it is served', async ({ site }) => {
    const server = await site.echo(ANY)
    const { code, message } = await failure(site.dial(server.address, { secret: OTHER_SECRET }))
    expect([code, message]).toEqual(['denied', `${server.address} refused: wrong secret, or not a wat`])
    const raw = await site.raw(server.address)
    const challenge = await some(raw, 32)
    raw.write(Buffer.concat([hmac(OTHER_SECRET, 'CLIENT-AUTH', challenge), challenge]))
    expect((await all(raw)).length).toBe(0)
    await site.honest(server.address)
    expect(server.given.length).toBe(1)
  })

  it('P44 cannot reflect what the server sends, nor prove itself with the proof of a server', async ({
    site,
  }) => {
    const server = await site.echo(ANY)
    const answers = [
      (challenge: Buffer) => challenge,
      (challenge: Buffer) => hmac(SECRET, 'SERVER-AUTH', challenge),
      () => Buffer.alloc(32),
    ]
    for (const answer of answers) {
      const raw = await site.raw(server.address)
      const challenge = await some(raw, 32)
      raw.write(Buffer.concat([answer(challenge), challenge]))
      expect((await all(raw)).length).toBe(0)
    }
    await site.honest(server.address)
    expect(server.given.length).toBe(1)
  })

  it('P44 cannot replay a handshake that it has recorded', async ({ site }) => {
    const server = await site.echo(ANY)
    const said: Buffer[] = []
    const proxy = await site.rogue(async socket => {
      const real = await site.raw(server.address)
      real.pipe(socket).on('data', (chunk: Buffer) => said.push(chunk))
      socket.pipe(real)
    })
    await site.honest(proxy)
    expect(server.given.length).toBe(1)
    const raw = await site.raw(server.address)
    raw.end(Buffer.concat(said))
    expect((await all(raw)).length).toBe(32)
    await site.honest(server.address)
    expect(server.given.length).toBe(2)
  })

  it('P44 that ends its handshake at any byte is no client', async ({ site }) => {
    const server = await site.echo(ANY)
    for (let bytes = 0; bytes < 64; bytes++) {
      const raw = await site.raw(server.address)
      const challenge = await some(raw, 32)
      raw.end(goodAnswer(challenge).subarray(0, bytes))
      expect((await all(raw)).length).toBe(0)
    }
    await site.honest(server.address)
    expect(server.given.length).toBe(1)
  })

  it('P44 that resets its connection at any byte is no client', async ({ site }) => {
    const server = await site.echo(ANY)
    for (let bytes = 0; bytes < 64; bytes += 9) {
      const raw = await site.raw(server.address)
      raw.write(Buffer.alloc(bytes + 1))
      raw.resetAndDestroy()
      await event(raw, 'close')
    }
    await site.honest(server.address)
    expect(server.given.length).toBe(1)
  })
})

describe('P44 a server without the secret', () => {
  it('P44 that accepts anything is found out, and has got no more than the handshake', async ({ site }) => {
    let got: Promise<Buffer> | undefined
    const address = await site.rogue(async socket => {
      socket.write(Buffer.alloc(32))
      await some(socket, 64)
      got = all(socket)
      socket.write(Buffer.alloc(32, 1))
    })
    const { code, message } = await failure(site.dial(address))
    expect([code, message]).toEqual(['denied', `${address} does not know the secret`])
    expect((await got)?.length).toBe(0)
  })

  it('P44 cannot reflect what the client sends', async ({ site }) => {
    for (const part of [
      (answer: Buffer) => answer.subarray(0, 32), // the client's own proof
      (answer: Buffer) => answer.subarray(32), // its challenge
    ]) {
      const address = await site.rogue(async socket => {
        socket.write(Buffer.alloc(32))
        socket.write(part(await some(socket, 64)))
      })
      expect(await failure(site.dial(address))).toMatchObject({ code: 'denied' })
    }
  })

  it('P44 cannot let one client answer the challenge of another', async ({ site }) => {
    const waiting: Socket[] = []
    const both = Promise.withResolvers<void>()
    const address = await site.rogue(socket => {
      waiting.push(socket)
      if (waiting.length === 2) both.resolve()
    })
    const dials = Promise.all([failure(site.dial(address)), failure(site.dial(address))])
    await both.promise
    const [one, other] = waiting as [Socket, Socket]
    one.write(Buffer.alloc(32))
    const challenge = (await some(one, 64)).subarray(32)
    other.write(challenge)
    const proof = (await some(other, 64)).subarray(0, 32)
    one.write(proof)
    other.end()
    const messages = (await dials).map(({ message }) => message)
    expect(messages).toContain(`${address} does not know the secret`)
    expect(messages).toContain(`${address} refused: wrong secret, or not a wat`)
  })

  it('P44 cannot replay a handshake that it has recorded', async ({ site }) => {
    const server = await site.echo(ANY)
    const said: Buffer[] = []
    const proxy = await site.rogue(async socket => {
      const real = await site.raw(server.address)
      real.on('data', (chunk: Buffer) => said.push(chunk)).pipe(socket)
      socket.pipe(real)
    })
    await site.honest(proxy)
    const address = await site.rogue(socket => socket.end(Buffer.concat(said)))
    expect(await failure(site.dial(address))).toMatchObject({ code: 'denied' })
  })

  it('P44 that ends its handshake at any byte is no server', async ({ site }) => {
    for (let bytes = 0; bytes < 64; bytes++) {
      const address = await site.rogue(socket => void goodServer(socket, bytes))
      const { code, message } = await failure(site.dial(address))
      expect([code, message]).toEqual(['denied', `${address} refused: wrong secret, or not a wat`])
    }
    const address = await site.rogue(socket => void goodServer(socket, 64))
    expect((await all(await site.dial(address))).length).toBe(0)
  })
})

describe('P44 bytes right behind the handshake', () => {
  it('P44 are not lost on the way to the server', async ({ site }) => {
    const given = Promise.withResolvers<Promise<Buffer>>()
    const { address } = await site.echo(ANY, { onConnection: stream => given.resolve(all(stream)) })
    const raw = await site.raw(address)
    const early = Buffer.alloc(1024 * 1024, 'early')
    raw.end(Buffer.concat([goodAnswer(await some(raw, 32)), early]))
    expect(Buffer.compare(await given.promise, early)).toBe(0)
  })

  it('P44 are not lost on the way to the client, also when it reads them late', async ({ site }) => {
    const early = Buffer.alloc(1024 * 1024, 'early')
    const address = await site.rogue(socket => void goodServer(socket, 64, early))
    const stream = await site.dial(address)
    await new Promise(resolve => setImmediate(resolve))
    expect(Buffer.compare(await all(stream), early)).toBe(0)
  })

  it('P44 can be the end: both directions end apart', async ({ site }) => {
    const onConnection = async (
      stream: NodeJS.ReadWriteStream & { end(text: string): void },
    ): Promise<void> => {
      stream.end('bye')
    }
    let heard: Promise<Buffer> | undefined
    const { address } = await site.echo(ANY, {
      onConnection: stream => {
        void onConnection(stream)
        heard = all(stream)
      },
    })
    const stream = await site.dial(address)
    expect(String(await all(stream))).toBe('bye')
    stream.end('still here')
    expect(String(await heard)).toBe('still here')
  })
})

/** Two ends of a connection on which bytes come in pieces of this size. */
function piecewise(bytes: number): ReturnType<typeof duplexPair> {
  const [one, two] = duplexPair()
  for (const end of [one, two]) {
    const write = end.write.bind(end) as (chunk: Uint8Array) => boolean
    end.write = ((chunk: Uint8Array) => {
      let took = true
      for (let at = 0; at < chunk.length; at += bytes) took = write(chunk.subarray(at, at + bytes))
      return took
    }) as typeof end.write
  }
  return [one, two]
}

function goodAnswer(challenge: Buffer): Buffer {
  return Buffer.concat([hmac(SECRET, 'CLIENT-AUTH', challenge), Buffer.alloc(32, 9)])
}

/** Writes so many bytes of a good server's 64, what follows them, and ends. */
async function goodServer(socket: Socket, bytes: number, more: Uint8Array = Buffer.alloc(0)): Promise<void> {
  socket.write(Buffer.alloc(Math.min(bytes, 32), 5))
  if (bytes < 32) return void socket.end()
  const challenge = (await some(socket, 64)).subarray(32)
  socket.end(Buffer.concat([hmac(SECRET, 'SERVER-AUTH', challenge).subarray(0, bytes - 32), more]))
}
