import { closeSync, openSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { parseAll, stringify, type Tagged } from '../../runtime/edn/index.ts'
import { describe, expect, it, told, ts, type Lab } from '../support/lab.ts'
import type { Live } from '../support/live.ts'
import { fixture } from '../support/machine.ts'
import { peakMiB, residentMiB, state } from '../support/proc.ts'

const MAX_FRAME = 1_000_000
/** A parent that held what its child floods it with would need hundreds; Node itself takes about 60. */
const PEAK_MIB = 200

/**
 * Serves its test: it has a sibling that doubles and a child `hostile` that does its deed when it is
 * called. It tells what became of each call.
 */
const parent = ts`
  import { self, serve, spawnProcess } from 'wat-vm'
  ${told}
  const sibling = spawnProcess<number, number>(self.args[0]!, { name: 'sibling' })
  const hostile = spawnProcess<any, any>(new URL('./hostile.ts', import.meta.url), {
    maxFrame: ${MAX_FRAME}, stopGrace: 1000, stderr: self.args[1] as 'relay' | 'pipe',
  })
  const sends: unknown[] = []
  const orders: Record<string, (body: any) => any> = {
    double: n => sibling.call(n, { timeout: 10_000 }),
    call: ms => told(hostile.call('do it', { timeout: ms })),
    again: ms => told(hostile.call('again', { timeout: ms })),
    send: async bytes => Promise.race([
      told(hostile.stdin.send('x'.repeat(bytes))).then((it: any) => it.code ?? 'sent'),
      new Promise(resolve => setTimeout(resolve, 300, 'waits')),
    ]),
    later: async bytes => void sends.push(told(hostile.stdin.send('x'.repeat(bytes))).then((it: any) => it.code ?? 'sent')),
    sends: () => Promise.all(sends),
    take: async count => {
      let values = 0
      while (values < count && (await hostile.stdout.recv()) !== undefined) values++
      return values
    },
    records: async () => {
      let chars = 0
      for await (const { value } of hostile.stderr) chars += (value as any).length ?? 0
      return chars
    },
    pid: async () => (await hostile.ready, hostile.pid),
    stop: async () => {
      const started = performance.now()
      const { code = null, signal = null } = await hostile.stop()
      return [code ?? signal, performance.now() - started]
    },
  }
  await serve(([order, body]: [string, any]) => orders[order]!(body))`

const writing = ts`
  import fs from 'node:fs'
  import { println, self, serve } from 'wat-vm'
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  const write = (data: string | Buffer, fd = 4) => {
    let bytes = Buffer.from(data as string)
    while (bytes.length > 0) {
      try { bytes = bytes.subarray(fs.writeSync(fd, bytes)) }
      catch (error: any) { if (error.code !== 'EAGAIN') throw error; Atomics.wait(sleeper, 0, 0, 1) }
    }
  }`

class Bench {
  readonly live: Live
  #id = 0
  readonly #replies = new Map<number, (frame: Tagged<[number, any]> | undefined) => void>()

  constructor(
    lab: Lab,
    deed: string,
    settings: { stderr?: 'relay' | 'pipe'; hostile?: string; to?: number } = {},
  ) {
    const { stderr = 'relay', to = 'pipe' } = settings
    const serving = `await serve(async body => { if (body === 'again') return 'again'\n${deed}\nreturn 'reply' })`
    const program = lab.program({
      'parent.ts': parent,
      'hostile.ts': `${writing}\n${settings.hostile ?? serving}`,
    })
    this.live = lab.start(program, {
      args: [fixture('double.ts'), stderr],
      stdio: ['pipe', 'pipe', to],
    })
    void this.#read()
  }

  /** Has an order carried out; many may be under way at once. */
  async ask<T = any>(order: string, body: unknown = null): Promise<T> {
    const id = ++this.#id
    const { promise, resolve } = Promise.withResolvers<Tagged<[number, any]> | undefined>()
    this.#replies.set(id, resolve)
    this.live.write(`#wat/req [${id} ["${order}" ${String(body)}]]\n`)
    const frame = await promise
    if (frame?.tag === 'wat/rep') return frame.value[1] as T
    throw new Error(
      `${order}: ${frame ? stringify(frame) : 'the parent has ended'} ${this.live.stderr.text.slice(0, 2000)}`,
    )
  }

  async #read(): Promise<void> {
    for (;;) {
      const frame = await this.live.stdout.value<Tagged<[number, any]>>()
      if (!frame) return this.#replies.forEach(resolve => resolve(undefined))
      this.#replies.get(frame.value[0])?.(frame)
    }
  }

  /** The parent works, its sibling too, and its memory has stayed small. */
  async unharmed(): Promise<void> {
    expect(await this.ask('double', 21)).toBe(42)
    expect(peakMiB(this.live.pid)).toBeLessThan(PEAK_MIB)
  }

  /** Ends the parent; gives the faults on its stderr. */
  async faults(): Promise<{ type: string; message: string; address: string }[]> {
    const { code, stderr } = await this.live.end()
    expect(code, stderr.slice(0, 2000)).toBe(0)
    return (parseAll(stderr) as Tagged<any>[])
      .filter(({ tag }) => tag === 'wat/fault')
      .map(({ value }) => ({ ...value, type: String(value.type) }))
  }
}

/** Deeds, what becomes of the call, and the faults that their parent tells. */
const deeds: [
  what: string,
  deed: string,
  call: unknown,
  fault: { type: string; message: RegExp } | undefined,
][] = [
  [
    'lines of garbage',
    ts`write(']} )\n#wat/what 1\n"\\q"\n{:a}\n')`,
    { value: 'reply' },
    { type: ':wat/malformed', message: /./ },
  ],
  [
    '300 MB without a newline',
    ts`for (let n = 0; n < 300; n++) write('x'.repeat(1_000_000)); write('\n')`,
    { value: 'reply' },
    { type: ':wat/too-large', message: /1000000/ },
  ],
  [
    'a string of 300 MB',
    ts`write('"'); for (let n = 0; n < 300; n++) write('x'.repeat(1_000_000)); write('"\n')`,
    { value: 'reply' },
    { type: ':wat/too-large', message: /1000000/ },
  ],
  [
    'half a frame, and dies',
    ts`write('#wat/rep [1 {:a "half'); process.kill(process.pid, 'SIGKILL'); for (;;) {}`,
    { code: 'offline', data: { exit: { signal: 'SIGKILL' } } },
    { type: ':wat/malformed', message: /ends inside a form/ },
  ],
  [
    'a reply to an id that was never used',
    ts`write('#wat/rep [77 1]\n#wat/err [78 {:type :wat/handler :message "no"}]\n')`,
    { value: 'reply' },
    { type: ':wat/malformed', message: /77/ },
  ],
  [
    'a second reply to an id',
    ts`write('#wat/rep [1 "first"]\n#wat/rep [1 "second"]\n')`,
    { value: 'first' },
    undefined,
  ],
  [
    'a stop to its parent',
    ts`write('#wat/stop {:grace-ms 1}\n')`,
    { value: 'reply' },
    { type: ':wat/malformed', message: /stop/ },
  ],
  ['a second ready', ts`write('#wat/ready {:protocol 1}\n')`, { value: 'reply' }, undefined],
]

describe('a hostile child', () => {
  for (const [what, deed, call, fault] of deeds) {
    it(`P32 that sends ${what}: the parent serves on, small, and tells who it was`, async ({ lab }) => {
      const bench = new Bench(lab, deed)
      const called = bench.ask('call', 15_000)
      expect(await bench.ask('double', 4)).toBe(8)
      expect(await called).toMatchObject(call as object)
      await bench.unharmed()
      const faults = await bench.faults()
      if (!fault) return expect(faults).toEqual([])
      expect(faults).toContainEqual(
        expect.objectContaining({
          type: fault.type,
          address: '/hostile',
          message: expect.stringMatching(fault.message),
        }),
      )
      for (const { address, message } of faults)
        expect([address, message]).toEqual(['/hostile', expect.stringContaining('/hostile')])
    })
  }

  it('P32 that sends requests to its parent gets a refusal for each', async ({ lab }) => {
    const bench = new Bench(lab, '', {
      hostile: ts`
        write('#wat/ready {:protocol 1 :pid 1 :address "/hostile"}\n#wat/req [5 "serve me"] #wat/req [6 2]\n')
        let text = ''
        const chunk = Buffer.alloc(65536)
        while (!text.includes('[6 ') || !text.includes('"do it"'))
          try { text += chunk.toString('utf8', 0, fs.readSync(3, chunk)) } catch (error: any) { Atomics.wait(sleeper, 0, 0, 5) }
        write('#wat/rep [1 ' + JSON.stringify(text) + ']\n')
        setTimeout(() => process.exit(0), 100)`,
    })
    const { value } = await bench.ask('call', 10_000)
    const frames = parseAll(value) as Tagged<any>[]
    expect(
      frames.filter(({ tag }) => tag === 'wat/err').map(({ value: [id, fault] }) => [id, String(fault.type)]),
    ).toEqual([
      [5, ':wat/no-handler'],
      [6, ':wat/no-handler'],
    ])
    await bench.unharmed()
    await bench.faults()
  })

  it('P9 P32 that floods stderr with 100 MB, relayed: all of it arrives, and the parent stays small', async ({
    lab,
  }) => {
    const file = path.join(lab.folder(), 'stderr')
    const fd = openSync(file, 'w')
    const bench = new Bench(
      lab,
      ts`for (let n = 0; n < 1000; n++) write(('x'.repeat(999) + '\n').repeat(100), 2)`,
      { to: fd },
    )
    expect(await bench.ask('call', 25_000)).toEqual({ value: 'reply' })
    await bench.unharmed()
    expect((await bench.live.end()).code).toBe(0)
    closeSync(fd)
    expect(statSync(file).size).toBeGreaterThan(100_000 * 1000)
    expect(readFileSync(file, 'latin1').match(/^#wat\/raw "x{999}" ; \/hostile$/gm)).toHaveLength(100_000)
  })

  it('P9 P32 that floods a stderr which the root does not get rid of waits, and its sibling does not', async ({
    lab,
  }) => {
    const bench = new Bench(
      lab,
      ts`for (let n = 0; n < 1000; n++) write(('x'.repeat(999) + '\n').repeat(100), 2)`,
    )
    bench.live.pauseReading('stderr')
    const call = bench.ask('call', 1500)
    expect(await bench.ask('double', 4)).toBe(8)
    expect(await call).toMatchObject({ code: 'timeout' })
    await bench.unharmed()
    bench.live.resumeReading('stderr')
    expect(await bench.ask('again', 20_000)).toEqual({ value: 'again' })
    const { code, stderr } = await bench.live.end()
    expect([code, stderr.match(/^#wat\/raw "x{999}" ; \/hostile$/gm)?.length]).toEqual([0, 100_000])
  })

  it('P9 P32 that floods a stderr which nobody takes waits, and goes on when somebody does', async ({
    lab,
  }) => {
    const bench = new Bench(
      lab,
      ts`for (let n = 0; n < 1000; n++) write(('x'.repeat(999) + '\n').repeat(100), 2); setTimeout(() => process.exit(0), 50)`,
      { stderr: 'pipe' },
    )
    expect(await bench.ask('call', 1500)).toMatchObject({ code: 'timeout' })
    await bench.unharmed()
    expect(await bench.ask('records')).toBe(1000 * 100 * 999)
    await bench.unharmed()
    expect(await bench.faults()).toEqual([])
  })

  it('P9 P32 that floods stdout while it is called is answered, if the flood is within one frame', async ({
    lab,
  }) => {
    const bench = new Bench(lab, ts`for (let n = 0; n < 900; n++) write('"' + 'x'.repeat(1000) + '"\n')`)
    expect(await bench.ask('call', 10_000)).toEqual({ value: 'reply' })
    expect(await bench.ask('take', 900)).toBe(900)
    await bench.unharmed()
    expect(await bench.faults()).toEqual([])
  })

  it('P9 P32 that floods stdout with 100 MB keeps its own reply back, until somebody reads', async ({
    lab,
  }) => {
    const bench = new Bench(lab, ts`for (let n = 0; n < 1000; n++) write('"' + 'x'.repeat(100_000) + '"\n')`)
    expect(await bench.ask('call', 1500)).toMatchObject({ code: 'timeout' })
    expect(await bench.ask('double', 4)).toBe(8)
    expect(await bench.ask('take', 1000)).toBe(1000)
    expect(await bench.ask('again', 10_000)).toEqual({ value: 'again' })
    await bench.unharmed()
    expect(await bench.faults()).toEqual([])
  })

  for (const [kind, idle, answer, exit] of [
    ['sleeps', ts`setInterval(() => {}, 1000)`, 'no-handler', 0],
    ['loops for ever', ts`for (;;) {}`, 'timeout', 'SIGKILL'],
  ] as const) {
    it(`P13 P27 P33 that ${kind} and never reads: send waits, a call ends with ${answer}, and stop works`, async ({
      lab,
    }) => {
      const bench = new Bench(lab, '', { hostile: `await println('on')\n${idle}` })
      expect(await bench.ask('take', 1)).toBe(1)
      for (let n = 0; n < 5; n++) await bench.ask('later', 900_000)
      expect(await bench.ask('send', 900_000)).toBe('waits')
      expect(await bench.ask('call', 200)).toMatchObject({ code: answer, address: '/hostile' })
      const before = residentMiB(bench.live.pid)
      await bench.unharmed()
      const [how, ms] = await bench.ask('stop')
      expect([how, ms < 2000 + 1000]).toEqual([exit, true])
      expect((await bench.ask<string[]>('sends')).at(-1)).toBe('offline')
      expect(await bench.ask('send', 1)).toBe('offline')
      await bench.unharmed()
      expect(residentMiB(bench.live.pid)).toBeLessThan(before + 50)
      expect(await bench.faults()).toEqual([])
    })
  }

  it('P13 P32 that is suspended holds up nobody else, and answers when it is awake again', async ({
    lab,
  }) => {
    const bench = new Bench(lab, '')
    const pid = await bench.ask('pid')
    process.kill(pid, 'SIGSTOP')
    expect(await bench.ask('call', 300)).toMatchObject({ code: 'timeout' })
    expect(state(pid)).toBe('T')
    await bench.unharmed()
    process.kill(pid, 'SIGCONT')
    expect(await bench.ask('again', 5000)).toEqual({ value: 'again' })
    process.kill(pid, 'SIGSTOP')
    const [how, ms] = await bench.ask('stop')
    expect([how, ms < 2000 + 1000]).toEqual(['SIGKILL', true])
    await bench.unharmed()
    await bench.faults()
  })

  it('P13 P29 that closes its stdin: sends and calls reject with offline, none hangs', async ({ lab }) => {
    const bench = new Bench(lab, '', {
      hostile: ts`
      await println('on')
      fs.closeSync(3)
      await println('closed')
      setInterval(() => {}, 1000)`,
    })
    expect(await bench.ask('take', 2)).toBe(2)
    expect(await bench.ask('call', 10_000)).toMatchObject({ code: 'offline' })
    expect(await bench.ask('send', 10)).toBe('offline')
    await bench.unharmed()
    const [, ms] = await bench.ask('stop')
    expect(ms).toBeLessThan(2000 + 1000)
    await bench.faults()
  })

  it('P29 that closes its stdout: its reply has nowhere to go, it panics, and the call rejects with that', async ({
    lab,
  }) => {
    const bench = new Bench(lab, ts`fs.closeSync(4)`)
    expect(await bench.ask('call', 3000)).toMatchObject({ code: 'offline', data: { exit: { code: 2 } } })
    await bench.unharmed()
    const [, ms] = await bench.ask('stop')
    expect(ms).toBeLessThan(2000 + 1000)
    expect(await bench.ask('again', 3000)).toMatchObject({ code: 'offline' })
    await bench.faults()
  })
})
