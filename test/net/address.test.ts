import path from 'node:path'
import { formatAddress, MAX_UNIX_PATH_BYTES, parseAddress } from '../../runtime/net/address.ts'
import { describe, expect, test } from 'vitest'

describe('P44 an address is read and written', () => {
  test.each([
    ['unix:/run/me/socket', { kind: 'unix', path: '/run/me/socket' }],
    ['unix:./x', { kind: 'unix', path: path.resolve('x') }],
    ['unix:x/../y', { kind: 'unix', path: path.resolve('y') }],
    ['unix:/a b/ö', { kind: 'unix', path: '/a b/ö' }],
    ['tcp://localhost:7000', { kind: 'tcp', host: 'localhost', port: 7000 }],
    ['tcp://my-host_1.example.org:1', { kind: 'tcp', host: 'my-host_1.example.org', port: 1 }],
    ['tcp://127.0.0.1:0', { kind: 'tcp', host: '127.0.0.1', port: 0 }],
    ['tcp://[::1]:65535', { kind: 'tcp', host: '::1', port: 65_535 }],
    ['tcp://[fe80::1%eth0]:7', { kind: 'tcp', host: 'fe80::1%eth0', port: 7 }],
  ])('P44 %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address)
    expect(parseAddress(formatAddress(parseAddress(text)))).toEqual(address)
  })

  test.each([
    ['', 'unix:/path or tcp://host:port'],
    ['/run/socket', 'unix:/path or tcp://host:port'],
    ['http://localhost:80', 'unix:/path or tcp://host:port'],
    ['tcp:localhost:80', 'unix:/path or tcp://host:port'],
    ['unix:', 'path'],
    ['unix:/', 'folder'],
    ['unix:/run/', 'folder'],
    ['unix:.', 'folder'],
    ['unix:/run/..', 'folder'],
    ['unix:\0abstract', 'NUL'],
    ['unix:/a\0b', 'NUL'],
    ['tcp://localhost', 'host:port'],
    ['tcp://:7000', 'host:port'],
    ['tcp://localhost:', 'host:port'],
    ['tcp://::1:7000', 'host:port'],
    ['tcp://me@localhost:7000', 'host:port'],
    ['tcp://localhost:7000/x', 'host:port'],
    ['tcp://localhost:7000\n', 'host:port'],
    ['tcp://[localhost]:7000', 'IPv6'],
    ['tcp://[]:7000', 'IPv6'],
    ['tcp://localhost:65536', '65535'],
    ['tcp://localhost:07000', '65535'],
    ['tcp://localhost:99999999999999999999', '65535'],
    ['tcp://localhost:-1', 'host:port'],
    ['tcp://localhost:0x50', 'host:port'],
  ])('P44 %j is refused, by name and with what is expected', (text, expected) => {
    expect(() => parseAddress(text)).toThrow(
      expect.objectContaining({
        name: 'WatError',
        code: 'denied',
        message: expect.stringContaining(expected),
      }),
    )
    expect(() => parseAddress(text)).toThrow(JSON.stringify(text))
  })

  test.each([undefined, null, 7, {}])('P44 %j is no address either', value => {
    expect(() => parseAddress(value as never)).toThrow(expect.objectContaining({ code: 'denied' }))
  })

  test('P45 the path of a socket may have as many bytes as the system takes, and not one more', () => {
    const longest = `/${'ö'.repeat((MAX_UNIX_PATH_BYTES - 1) / 2)}`
    expect(parseAddress(`unix:${longest}`)).toEqual({ kind: 'unix', path: longest })
    expect(() => parseAddress(`unix:${longest}a`)).toThrow(`at most ${MAX_UNIX_PATH_BYTES} bytes`)
  })
})
