import { describe, expect, it, told, ts, type Lab } from '../support/lab.ts'
import { secretFile, startHost } from '../tiers/tiers.ts'

/** Says first what it was given, and then does what it is asked. */
const child = ts`
  import { ref, self, serve, type Ref } from 'wat-vm'
  const { service, n } = self.given
  const first = service ? await service.call(n) : null
  const kept: Ref[] = []
  await serve(async (body: any) => {
    if (body?.f) return body.f.call(body.x)
    if (body?.keep) return void kept.push(body.keep)
    if (body === 'kept') return kept[0]!.call(1)
    if (body === 'make') return ref((x: number) => [x, self.address])
    return first
  })`

describe('P85 what is given', () => {
  it.for([
    { way: 'a process of its own', args: [] },
    { way: 'a spare', args: ['spare'] },
    { way: 'behind a launcher, sent as text', args: ['via'] },
    { way: 'behind a launcher, from a path there', args: ['path'] },
    { way: 'a thread', args: ['thread'] },
  ])('P85 is there before the first line runs: $way', async ({ args }, { lab }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
          import { prewarm, println, ref, self, spawnProcess, spawnThread } from 'wat-vm'
          const [how] = self.args
          const url = new URL('./child.ts', import.meta.url)
          const given = { service: ref((n: number) => ['served', n]), n: 7 }
          if (how === 'spare') await prewarm(2)
          const spawn = (options: any) => how === 'thread' ? spawnThread<any, any>(url, options)
            : how === 'via' ? spawnProcess<any, any>(url, { ...options, via: ['env'] })
            : how === 'path' ? spawnProcess<any, any>(url.pathname, { ...options, via: ['env'], send: false })
            : spawnProcess<any, any>(url, options)
          const [one, two, three] = ['one', 'two', 'three'].map(name => spawn({ name, ...(name !== 'two' && { given }) }))
          await println([await one!.call(0), await two!.call(0), await three!.call(0)])
          const made = await one!.call('make')
          await println(await three!.call({ f: made, x: 5 }))
          await println(await Promise.all([one, two, three].map(child => child!.stop())))
          if (how === 'spare') await prewarm(0)`,
        'child.ts': child,
      }),
      { args },
    )
    expect(facts).toEqual([
      [['served', 7], null, ['served', 7]],
      [5, '/one'],
      [{ code: 0 }, { code: 0 }, { code: 0 }],
    ])
  })

  it('P85 that cannot be sent fails the start, with the reason, and gives nothing away', async ({ lab }) => {
    const facts = await lab.facts(
      lab.program({
        'main.ts': ts`
          import { println, ref, spawnProcess, spawnThread } from 'wat-vm'
          ${told}
          const disposed: string[] = []
          const service = () => ref({ x: () => 1, [Symbol.dispose]: () => disposed.push('disposed') })
          const url = new URL('./child.ts', import.meta.url)
          for (const spawn of [spawnProcess, spawnThread] as any[])
            for (const bad of [() => 1, 'x'.repeat(20_000)]) {
              const kid = spawn(url, { given: { service: service(), bad }, maxFrame: 10_000 })
              await println([(await told(kid.ready)).code, (await told(kid.call(1))).code, (await kid.exited).code ?? null, disposed.length])
            }`,
        'child.ts': child,
      }),
    )
    for (const fact of facts)
      expect(fact).toEqual([expect.toSatisfy(isRefusal), expect.toSatisfy(isRefusal), null, 0])
    expect(facts).toHaveLength(4)
  })
})

const isRefusal = (code: unknown) => code === 'encode' || code === 'too-large' || code === 'offline'

describe('P83 over connections', () => {
  const addresses = {
    tcp: () => 'tcp://127.0.0.1:0',
    unix: (lab: Lab) => `unix:${lab.folder()}/own/wat.sock`,
  }

  it.for(Object.entries(addresses))(
    'P83 P84 clients of a server call each other by it: %s',
    async ([, address], { lab }) => {
      const facts = await lab.facts(
        lab.program(ts`
        import { connect, listen, println, ref, Ref, self } from 'wat-vm'
        ${told}
        const [address, secret] = self.args as [string, string]
        const board = new Map<string, Ref>()
        let gone = 0
        const server = await listen(address, ([op, name, x]: any) => {
          if (op === 'put') board.set(name, x)
          if (op === 'get') return board.get(name)
          if (op === 'call') return board.get(name)!.call(x)
          if (op === 'made') return ref({ x: () => 1, [Symbol.dispose]: () => gone++ })
          if (op === 'gone') return gone
        }, { secret })
        const [one, two] = [1, 2].map(() => connect<any, any>(server.address, { secret }))
        const ask = (client: any, name: string, ...args: unknown[]) => told(client.call([name, ...args])).then((x: any) => 'value' in x ? x.value : x.code)
        await Promise.all([one!.ready, two!.ready])
        const mine = ref((x: number) => x + 1)
        await ask(one, 'put', 'mine', mine)
        await println([await ask(one, 'call', 'mine', 1), await ask(one, 'get', 'mine') === mine])
        const theirs = await ask(two, 'get', 'mine')
        await println([theirs instanceof Ref, theirs === mine, await theirs.call(2)])
        const held = await ask(two, 'made')
        await one!.kill()
        await println([(await theirs.closed).code, (await told(theirs.call(1))).code, await ask(two, 'call', 'mine', 1)])
        await two!.kill()
        const three = connect<any, any>(server.address, { secret })
        while (await ask(three, 'gone') !== 1) await new Promise(resolve => setTimeout(resolve, 5))
        await println([(await held.closed).code, gone])
        await three.stop()
        await server.close()`),
        { args: [address(lab), secretFile(lab)] },
      )
      expect(facts).toEqual([
        [2, true],
        [true, false, 3],
        ['offline', 'offline', 'offline'],
        ['offline', 1],
      ])
    },
  )
})

describe('P84 a host', () => {
  it('P84 that is lost breaks what came from there, and disposes of what it had, and another host goes on', async ({
    lab,
  }) => {
    const secret = secretFile(lab)
    const one = await startHost(lab, 'tcp://127.0.0.1:0', secret)
    const two = await startHost(lab, `unix:${lab.folder()}/own/two.sock`, secret)
    const live = lab.start(
      lab.program({
        'main.ts': ts`
          import { println, readln, ref, self, spawnRemote } from 'wat-vm'
          ${told}
          const [one, two, secret] = self.args as [string, string, string]
          const url = new URL('./child.ts', import.meta.url)
          const [first, second] = [one, two].map((at, n) => spawnRemote<any, any>(url, { at: at!, secret: secret!, name: 'r' + n }))
          const far = await first!.call('make')
          await second!.call({ keep: far })
          const disposed = Promise.withResolvers<string>()
          const lent = ref({ x: () => 1, [Symbol.dispose]: () => disposed.resolve('disposed') })
          await first!.call({ keep: lent })
          await println(await second!.call('kept'))
          await readln()
          await println([(await far.closed).code, (await told(second!.call('kept'))).code, await disposed.promise, await second!.call(0)])
          await second!.stop()`,
        'child.ts': child,
      }),
      { args: [one.at, two.at, secret] },
    )
    expect(await live.stdout.value()).toEqual([1, '/r0'])
    one.host.signal('SIGKILL')
    live.write('"go on"\n')
    expect(await live.stdout.value()).toEqual(['offline', 'offline', 'disposed', null])
    expect((await live.end()).code).toBe(0)
    two.host.signal('SIGTERM')
    await two.host.ended
  })
})

describe('P83 who knows no references', () => {
  /** It speaks protocol 1, as examples in other languages do. */
  const body = "${line#'#wat/req ['}"
  const echo = ts`
    echo '#wat/ready {:protocol 1 :pid 1 :address "/echo"}'
    while IFS= read -r line; do
      case $line in
        '#wat/req ['*) rest=${body}; printf '#wat/rep [%s\n' "$rest" ;;
        '#wat/stop '*) exit 0 ;;
        '#wat/cancel '*) ;;
        '#wat/'*) printf 'NOT KNOWN: %s\n' "$line" >&2 ;;
        *) printf '%s\n' "$line" ;;
      esac
    done`

  it('P83 is told nothing of them, and what holds one is refused with encode', async ({ lab }) => {
    const outcome = await lab.run(
      lab.program(ts`
        import { println, ref, self, spawnProcess } from 'wat-vm'
        ${told}
        const kid = spawnProcess<any, any>({ command: 'sh', args: ['-c', self.args[0]!] }, { name: 'echo', stopGrace: 1000 })
        let disposed = 0
        const mine = ref({ x: () => 1, [Symbol.dispose]: () => disposed++ })
        await println([(await told(kid.call({ mine }))).code, (await told(kid.call([mine], { timeout: 5000 }))).code])
        await kid.ready
        await println([(await told(kid.call(mine))).code, await kid.call({ a: 1 }), await kid.call(2, { meta: { m: 1 }, timeout: 5000 })])
        await println([disposed, await kid.stop()])`),
      { args: [echo] },
    )
    expect(outcome.stderr).not.toContain('NOT KNOWN')
    expect(outcome.stdout).toBe('["encode" "encode"]\n["encode" {:a 1} 2]\n[0 {:code 0}]\n')
  })

  it('P83 a program under a shell has nobody to give them to', async ({ lab }) => {
    const program = lab.program(ts`
      import { ref, serve } from 'wat-vm'
      await serve(() => ref(() => 1))`)
    const { stdout, stderr, code } = await lab.run(program, { input: '#wat/req [1 nil]\n5\n' })
    expect(stdout).toMatch(/^#wat\/err \[1 \{:type :wat\/encode /)
    expect(stderr).toContain(':wat/encode')
    expect(code).toBe(1)
  })
})
