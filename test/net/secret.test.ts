import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { afterEach, vi } from 'vitest'
import { defaultSecretFile, ensureSecretFile, toSecret } from '../../runtime/net/secret.ts'
import { describe, expect, it, type Lab } from '../support/lab.ts'
import { fixture } from '../support/machine.ts'

afterEach(() => void vi.unstubAllEnvs())

const BYTES = Buffer.from(Array.from({ length: 32 }, (_, index) => index * 8))
const denied = (message: string) =>
  expect.objectContaining({ code: 'denied', message: expect.stringContaining(message) })

describe('P44 a secret', () => {
  it('P44 is 32 bytes, and a copy of them', () => {
    const given = Uint8Array.from(BYTES)
    const secret = toSecret(given)
    given.fill(0)
    expect(secret).toEqual(BYTES)
  })

  it.for([0, 31, 33, 64])('P44 is not %i bytes', length => {
    expect(() => toSecret(new Uint8Array(length))).toThrow(denied(`not ${length} bytes`))
  })

  it.for([null, 7, {}, BYTES.buffer])('P44 is nothing else: %j', value => {
    expect(() => toSecret(value as never)).toThrow(denied('a secret is 32 bytes or the path of a file'))
  })
})

describe('P44 a secret file', () => {
  it.for([
    ['32 bytes', BYTES],
    ['32 bytes that end in a newline', Buffer.alloc(32, '\n')],
    ['64 hex digits', BYTES.toString('hex')],
    ['64 hex digits and a newline', `${BYTES.toString('hex').toUpperCase()}\n`],
    ['64 hex digits, CR and LF', `${BYTES.toString('hex')}\r\n`],
  ] as const)('P44 holds %s', ([, content], { lab }) => {
    const file = put(lab, content)
    expect(toSecret(file)).toEqual(typeof content === 'string' ? BYTES : content)
  })

  it.for([
    ['nothing', ''],
    ['31 bytes', BYTES.subarray(1)],
    ['33 bytes', Buffer.alloc(33)],
    ['63 hex digits', BYTES.toString('hex').slice(1)],
    ['65 hex digits', `${BYTES.toString('hex')}0`],
    ['64 other letters', 'x'.repeat(64)],
    ['two lines', `${BYTES.toString('hex')}\n\n`],
    ['a megabyte', Buffer.alloc(1024 * 1024)],
  ] as const)('P44 that holds %s is refused by name', ([, content], { lab }) => {
    const file = put(lab, content)
    expect(() => toSecret(file)).toThrow(denied(`${file} holds neither 32 bytes nor 64 hex digits`))
  })

  it.for(['0600', '0400', '0700'])('P44 may have mode %s', (mode, { lab }) => {
    const file = put(lab, BYTES)
    chmodSync(file, parseInt(mode, 8))
    expect(toSecret(file)).toEqual(BYTES)
  })

  it.for(['0640', '0604', '0620', '0602', '0610', '0601', '0644', '0666'])(
    'P44 with mode %s is refused by name and mode',
    (mode, { lab }) => {
      const file = put(lab, BYTES)
      chmodSync(file, parseInt(mode, 8))
      expect(() => toSecret(file)).toThrow(denied(`${file} has mode ${mode}`))
    },
  )

  it('P44 that is missing, a folder, or a FIFO that nobody writes is refused by name', ({ lab }) => {
    const folder = lab.folder()
    expect(() => toSecret(`${folder}/none`)).toThrow(denied(`${folder}/none cannot be read (ENOENT)`))
    expect(() => toSecret(folder)).toThrow(denied(`${folder} is no regular file`))
    execFileSync('mkfifo', ['-m', '600', `${folder}/fifo`])
    expect(() => toSecret(`${folder}/fifo`)).toThrow(denied(`${folder}/fifo is no regular file`))
  })

  it.runIf(process.geteuid?.() === 0)('P44 of another user is refused by name', ({ lab }) => {
    const file = put(lab, BYTES)
    chownSync(file, 12_345, 12_345)
    expect(() => toSecret(file)).toThrow(denied(`${file} belongs to user 12345 (mode 0600)`))
  })

  it('P44 may be behind a symbolic link, and then its own mode counts', ({ lab }) => {
    const file = put(lab, BYTES)
    symlinkSync(file, `${file}.link`)
    expect(toSecret(`${file}.link`)).toEqual(BYTES)
    chmodSync(file, 0o644)
    expect(() => toSecret(`${file}.link`)).toThrow(denied('0644'))
  })
})

describe('P44 the default secret file', () => {
  it('P44 is $WAT_SECRET_FILE, else in $XDG_CONFIG_HOME, else in ~/.config', ({ lab }) => {
    vi.stubEnv('WAT_SECRET_FILE', put(lab, BYTES))
    vi.stubEnv('XDG_CONFIG_HOME', '/config')
    expect(toSecret(undefined)).toEqual(BYTES)
    vi.stubEnv('WAT_SECRET_FILE', '')
    expect(defaultSecretFile()).toBe('/config/wat/secret')
    for (const unusable of ['', 'not/absolute']) {
      vi.stubEnv('XDG_CONFIG_HOME', unusable)
      expect(defaultSecretFile()).toBe(path.join(homedir(), '.config/wat/secret'))
    }
  })

  it('P44 is made once: a folder 0700, a file 0600, hex of 32 bytes', ({ lab }) => {
    const config = path.join(lab.folder(), 'config')
    vi.stubEnv('WAT_SECRET_FILE', '')
    vi.stubEnv('XDG_CONFIG_HOME', config)
    expect(() => toSecret(undefined)).toThrow(denied(`${config}/wat/secret cannot be read (ENOENT)`))
    const secret = ensureSecretFile()
    expect(ensureSecretFile()).toEqual(secret)
    expect(toSecret(undefined)).toEqual(secret)
    expect(statSync(`${config}/wat`).mode & 0o777).toBe(0o700)
    expect(statSync(`${config}/wat/secret`).mode & 0o777).toBe(0o600)
    expect(readFileSync(`${config}/wat/secret`, 'utf8')).toBe(`${secret.toString('hex')}\n`)
    expect(readdirSync(`${config}/wat`)).toEqual(['secret'])
    expect(ensureSecretFile(`${config}/other`)).not.toEqual(secret)
  })

  it('P44 that is there is neither changed nor trusted blindly', ({ lab }) => {
    const file = put(lab, 'mine')
    expect(() => ensureSecretFile(file)).toThrow(denied('holds neither'))
    expect(readFileSync(file, 'utf8')).toBe('mine')
  })

  it('P44 that cannot be made is refused by name', ({ lab }) => {
    const file = `${put(lab, BYTES)}/below/secret`
    expect(() => ensureSecretFile(file)).toThrow(denied(`${file} cannot be made`))
  })

  it('P44 is one secret, whole, also when many processes make it at once', async ({ lab }) => {
    const folder = path.join(lab.folder(), 'new')
    const file = path.join(folder, 'secret')
    const makers = Array.from({ length: 8 }, () =>
      lab.command(process.execPath, [fixture('makes-secrets.ts'), file], {}),
    )
    const outcomes = await Promise.all(makers.map(maker => maker.end()))
    expect(outcomes.map(({ code, stderr }) => [code, stderr])).toEqual(outcomes.map(() => [0, '']))
    expect(new Set(outcomes.map(({ stdout }) => stdout))).toEqual(new Set([readFileSync(file, 'utf8')]))
    expect(readdirSync(folder)).toEqual(['secret'])
  })
})

function put(lab: Lab, content: string | Uint8Array): string {
  const file = path.join(lab.folder(), 'secret')
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, content, { mode: 0o600 })
  return file
}
