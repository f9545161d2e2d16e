import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import tls from 'node:tls'
import { MAX_UNFINISHED } from '../../runtime/net/server.ts'
import { installed } from '../support/machine.ts'
import { all, describe, expect, failure, it, OTHER_SECRET, type Site } from './site.ts'

const ANY = 'tcp://localhost:0'

describe.skipIf(!installed('openssl'))('P44 with TLS (needs openssl)', () => {
  it('P44 both ends are authenticated, over TCP and over Unix sockets', async ({ site }) => {
    const identity = certificate(site)
    for (const address of [ANY, 'tcp://127.0.0.1:0', site.unix()]) {
      const server = await site.echo(address, { tls: identity })
      await site.honest(server.address, { tls: { ca: identity.cert } })
      const wrong = { tls: { ca: identity.cert }, secret: OTHER_SECRET }
      expect(await failure(site.dial(server.address, wrong))).toMatchObject({
        code: 'denied',
        message: `${server.address} refused: wrong secret, or not a wat`,
      })
      expect(server.given.length).toBe(1)
      expect(server.given[0]).toBeInstanceOf(tls.TLSSocket)
    }
  })

  it('P44 a certificate that the client does not trust, or of another host, is denied', async ({ site }) => {
    const identity = certificate(site)
    const other = certificate(site, 'elsewhere.example')
    const server = await site.echo(ANY, { tls: identity })
    const elsewhere = await site.echo(ANY, { tls: other })
    expect(await failure(site.dial(server.address, { tls: true }))).toMatchObject({
      code: 'denied',
      message: `${server.address}: its certificate is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)`,
    })
    expect(await failure(site.dial(elsewhere.address, { tls: { ca: other.cert } }))).toMatchObject({
      code: 'denied',
      data: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' },
    })
    expect([server.given.length, elsewhere.given.length]).toEqual([0, 0])
  })

  it('P44 a server that asks for certificates of clients serves only those that have one', async ({
    site,
  }) => {
    const identity = certificate(site)
    const mine = certificate(site)
    const asks = { ...identity, requestCert: true, ca: mine.cert }
    const server = await site.echo(ANY, { tls: asks })
    expect(await failure(site.dial(server.address, { tls: { ca: identity.cert } }))).toMatchObject({
      code: 'denied',
    })
    await site.honest(server.address, { tls: { ca: identity.cert, ...mine } })
    expect(server.given.length).toBe(1)
  })

  it('P44 one deadline covers TLS and the handshake: stalls before, in and after TLS', async ({ site }) => {
    const identity = certificate(site)
    const server = await site.echo(ANY, { tls: identity }, 1000)
    const silent = await site.raw(server.address)
    const halfway = await site.raw(server.address)
    halfway.write(Buffer.from('16030100', 'hex')) // the first bytes of a TLS record
    const encrypted = tls.connect({
      socket: await site.raw(server.address),
      ca: identity.cert,
      servername: 'localhost',
    })
    encrypted.on('error', () => {})
    await Promise.all([all(silent), all(halfway), all(encrypted)])
    await site.honest(server.address, { tls: { ca: identity.cert } })
    expect(server.given.length).toBe(1)
  })

  it('P44 a client that speaks no TLS is not served, nor a server that speaks none trusted', async ({
    site,
  }) => {
    const identity = certificate(site)
    const server = await site.echo(ANY, { tls: identity }, 1000)
    const plain = await site.echo(ANY)
    expect(await failure(site.dial(server.address))).toMatchObject({ code: 'denied' })
    expect(await failure(site.dial(plain.address, { tls: { ca: identity.cert } }))).toMatchObject({
      code: 'denied',
      message: `${plain.address}: no TLS there`,
    })
    const http = await site.raw(server.address)
    http.write('GET / HTTP/1.1\r\n\r\n')
    await all(http)
    await site.honest(server.address, { tls: { ca: identity.cert } })
    expect([server.given.length, plain.given.length]).toEqual([1, 0])
  })

  it('P44 half-open connections are as few as without, and honest clients are served', async ({ site }) => {
    const identity = certificate(site)
    const server = await site.echo(ANY, { tls: identity })
    let open = 0
    for (let wave = 0; wave < 4; wave++) {
      const raws = await Promise.all(Array.from({ length: 100 }, () => site.raw(server.address)))
      open += raws.length
      for (const raw of raws)
        raw
          .on('end', () => raw.destroy())
          .once('close', () => (open -= 1))
          .resume()
      await site.honest(server.address, { tls: { ca: identity.cert } })
    }
    await site.until(() => open <= MAX_UNFINISHED, 'too many are open')
    expect(server.given.length).toBe(4)
  })

  it('P44 both directions end apart, and what follows the handshake at once is not lost', async ({
    site,
  }) => {
    const identity = certificate(site)
    const early = Buffer.alloc(1024 * 1024, 'early')
    const heard = Promise.withResolvers<Buffer>()
    const server = await site.echo(ANY, {
      tls: identity,
      onConnection: stream => {
        stream.end(early)
        all(stream).then(heard.resolve, heard.reject)
      },
    })
    const stream = await site.dial(server.address, { tls: { ca: identity.cert } })
    expect(Buffer.compare(await all(stream), early)).toBe(0)
    stream.end('still here')
    expect(String(await heard.promise)).toBe('still here')
  })

  it('P44 options of no use are denied', async ({ site }) => {
    const tlsOptions = { key: 'no key', cert: 'no certificate' }
    expect(await failure(site.echo(ANY, { tls: tlsOptions }))).toMatchObject({ code: 'denied' })
    const { address } = await site.echo(ANY)
    expect(await failure(site.dial(address, { tls: tlsOptions }))).toMatchObject({ code: 'denied' })
  })
})

/** A key and a certificate for a host, signed by itself. */
function certificate(site: Site, host = 'localhost'): { key: Buffer; cert: Buffer } {
  const folder = site.folder()
  const [key, cert] = [path.join(folder, 'key'), path.join(folder, 'cert')]
  const names = host === 'localhost' ? 'DNS:localhost,IP:127.0.0.1' : `DNS:${host}`
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
    ].concat('-keyout', key, '-out', cert, '-subj', `/CN=${host}`, '-addext', `subjectAltName=${names}`),
    { stdio: 'ignore' },
  )
  return { key: readFileSync(key), cert: readFileSync(cert) }
}
