import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { WatError } from '../../runtime/error.ts'
import type { Request } from '../../runtime/wire/handler.ts'
import type { Ref } from '../../runtime/wire/refs/ref.ts'
import { pair, type End, type Pair } from '../support/pair.ts'
import { leftAt, made } from '../support/refs.ts'
import { World } from '../support/world.ts'

// fast-check prints seed and path of a failure; WAT_SEED replays it.
const seed = process.env.WAT_SEED === undefined ? Date.now() : Number(process.env.WAT_SEED)
/** `npm run fuzz` asks for more. */
const seconds = process.env.FUZZ_SECONDS === undefined ? 2 : Number(process.env.FUZZ_SECONDS)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

/** What a handler does. `back`: calls what it was brought; `give`: answers with a reference; `revoke`: its own. */
const ways = ['now', 'later', 'never', 'throws', 'rejects', 'early', 'back', 'give', 'revoke'] as const
type Way = (typeof ways)[number]

/** One thing that a process does. Numbers pick among what it has. */
type Operation =
  | { what: 'make'; concurrency: number; leaf: boolean }
  | { what: 'give'; link: number; which: number[] }
  | { what: 'call'; which: number; way: Way; arg: number; timeout?: number; abort?: number }
  | { what: 'release' | 'dup' | 'revoke'; which: number }
  | { what: 'cut'; link: number }
  | { what: 'clock'; ms: number }
  | { what: 'wait' }

interface Step {
  at: number
  operation: Operation
}

interface Setting {
  seed: number
  processes: 2 | 3
  capacity: number
  chunk: number
  sync: boolean
  /** Each has something of everybody to begin with. */
  acquainted: boolean
}

const which = fc.nat(1000)

const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      what: fc.constant('make' as const),
      concurrency: fc.constantFrom(1, 2, 256),
      leaf: fc.boolean(),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      what: fc.constant('give' as const),
      link: fc.nat(1),
      which: fc.array(which, { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 12,
    arbitrary: fc.record(
      {
        what: fc.constant('call' as const),
        which,
        way: fc.constantFrom(...ways),
        arg: which,
        timeout: fc.nat(50),
        abort: fc.nat(10),
      },
      { requiredKeys: ['what', 'which', 'way', 'arg'] },
    ),
  },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('release' as const), which }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('dup' as const), which }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('revoke' as const), which }) },
  { weight: 6, arbitrary: fc.constant({ what: 'wait' as const }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('clock' as const), ms: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('cut' as const), link: fc.nat(1) }) },
)

const steps: fc.Arbitrary<Step[]> = fc.array(fc.record({ at: fc.nat(2), operation }), {
  maxLength: 80,
  size: 'max',
})

const setting: fc.Arbitrary<Setting> = fc.record({
  seed: fc.nat(),
  processes: fc.constantFrom(2 as const, 3 as const),
  capacity: fc.oneof(fc.integer({ min: 40, max: 200 }), fc.integer({ min: 200, max: 100_000 })),
  chunk: fc.oneof(fc.integer({ min: 10, max: 40 }), fc.integer({ min: 40, max: 64 * 1024 })),
  sync: fc.boolean(),
  acquainted: fc.boolean(),
})

/** A reference that some process has. A leaf calls nobody, so that no two wait for each other. */
interface Had {
  readonly ref: Ref
  readonly leaf: boolean
  /** Which of all things it leads to. */
  readonly thing: number
}

/** What is known of a target, wherever it can be called from. */
class Thing {
  readonly leaf: boolean
  readonly maker: Party
  readonly ref: Ref
  disposed = 0
  revoked = false
  /** The numbers of the calls that have begun, by who made them. */
  readonly begun = new Map<string, number[]>()
  readonly wrongs: string[] = []

  constructor(maker: Party, leaf: boolean, concurrency: number) {
    this.maker = maker
    this.leaf = leaf
    this.ref = made((body: Asked, request: Request) => this.#handle(body, request), {
      concurrency,
      address: maker.name,
      dispose: () => this.disposed++,
    })
  }

  revokeBy(party: Party): void {
    if (party === this.maker) this.revoke()
  }

  revoke(): void {
    this.revoked = true
    this.ref.revoke()
  }

  async #handle({ who, n, way, arg }: Asked, request: Request): Promise<unknown> {
    if (this.disposed > 0) this.wrongs.push(`called after it was disposed of: ${n} of ${who}`)
    this.maker.take(arg)
    const begun = this.begun.get(who) ?? []
    this.begun.set(who, [...begun, n])
    if (begun.some(before => before >= n)) this.wrongs.push(`${n} of ${who} behind ${begun.join(' ')}`)
    if (way === 'throws') throw new Error('as told')
    if (way === 'later') await this.maker.soon()
    if (way === 'rejects') await Promise.reject(new Error('as told'))
    if (way === 'never') await this.maker.freed
    if (way === 'early') {
      request.reply({ n })
      await this.maker.soon()
    }
    if (way === 'back' && arg[0]?.leaf && !this.leaf)
      await arg[0].ref.call(
        { who: `${this.maker.name} for ${who} ${n}`, n: 0, way: 'later', arg: [] },
        request,
      )
    if (way === 'give') return { n, given: [...arg, this.maker.any(n)].filter(had => had !== undefined) }
    if (way === 'revoke') {
      this.revoke()
      await new Promise(resolve => request.signal.addEventListener('abort', resolve))
    }
    return { n }
  }
}

interface Asked {
  who: string
  n: number
  way: Way
  arg: Had[]
}

const MAY_FAIL = new Set(['handler', 'timeout', 'cancelled', 'offline', 'denied'])

/** One process: what it has, and what it has asked for. */
class Party {
  readonly name: string
  readonly ends: End[] = []
  readonly had: Had[] = []
  readonly calls: { n: number; settled: number; outcome: unknown; deniedBy: number | undefined }[] = []
  readonly promises: Promise<unknown>[] = []
  readonly aborts: { controller: AbortController; at: number }[] = []
  readonly freed: Promise<void>
  readonly #world: World

  constructor(world: World, name: string, freed: Promise<void>) {
    this.#world = world
    this.name = name
    this.freed = freed
  }

  /** A link of its own: whoever is at its other end may give it something. */
  join(end: End): void {
    this.ends.push(end)
    end.peer.serve((given: Had[]) => this.take(given), 256)
  }

  /** All of one body: what stands there twice has come once. */
  take(given: Had[]): void {
    this.had.push(...new Map(given.map(had => [had.ref, had])).values())
  }

  any(number: number): Had | undefined {
    return this.had[number % (this.had.length || 1)]
  }

  soon(): Promise<void> {
    return new Promise(resolve => this.#world.post(resolve))
  }

  give(link: number, numbers: number[]): void {
    const given = numbers.map(n => this.any(n)).filter(had => had !== undefined)
    const end = this.ends[link % this.ends.length] as End
    this.#follow(end.peer.calls.call(given))
  }

  call(operation: Operation & { what: 'call' }, things: readonly Thing[]): void {
    const had = this.any(operation.which)
    if (!had) return
    const arg = this.any(operation.arg)
    const controller = new AbortController()
    if (operation.abort !== undefined) this.aborts.push({ controller, at: operation.abort })
    const body: Asked = {
      who: this.name,
      n: this.calls.length,
      way: operation.way,
      arg: arg ? [arg] : [],
    }
    const { signal } = controller
    const { timeout } = operation
    // One that is held when it is called answers, unless its maker revokes it: whoever else lets go of it.
    const sure =
      had.ref.address !== this.name &&
      things[had.thing]?.disposed === 0 &&
      operation.way !== 'give' &&
      operation.way !== 'back' &&
      [had, arg].every(one => !one || one.ref.held || one.ref.address === this.name)
    const promise = had.ref.call(body, { signal, ...(timeout !== undefined && { timeout }) })
    this.#follow(promise, body.n, sure ? had.thing : undefined)
  }

  #follow(promise: Promise<unknown>, n?: number, sureOf?: number): void {
    const call = {
      n: n ?? -1,
      settled: 0,
      outcome: undefined as unknown,
      deniedBy: undefined as number | undefined,
    }
    this.calls.push(call)
    this.promises.push(
      promise.then(
        reply => {
          call.settled++
          const { n: told, given = [] } = (reply ?? {}) as { n?: number; given?: Had[] }
          this.take(given)
          if (told !== n) call.outcome = `a reply to ${told} for ${n}`
        },
        (error: WatError) => {
          call.settled++
          if (!MAY_FAIL.has(error.code)) call.outcome = error
          if (error.code === 'denied') call.deniedBy = sureOf
        },
      ),
    )
  }
}

/** Plays a program on processes in a row, and checks what must hold at every moment and at the end. */
async function play(steps: Step[], setting: Setting): Promise<void> {
  const world = new World(setting.seed)
  const freed = Promise.withResolvers<void>()
  const parties = Array.from(
    { length: setting.processes },
    (_, n) => new Party(world, `/p${n}`, freed.promise),
  )
  const chunk = Math.max(setting.chunk, steps.length)
  const capacity = Math.max(setting.capacity, 2 * chunk)
  const links: Pair[] = parties.slice(1).map((party, n) => {
    const link = pair(world, { ...setting, capacity, chunk })
    parties[n]?.join(link.a)
    party.join(link.b)
    return link
  })
  const ends = links.flatMap(({ a, b }) => [a, b])
  const things: Thing[] = []
  const make = (party: Party, leaf: boolean, concurrency: number) => {
    const thing = new Thing(party, leaf, concurrency)
    party.take([{ ref: thing.ref, leaf, thing: things.push(thing) - 1 }])
  }
  if (setting.acquainted) {
    for (const party of parties) for (const leaf of [false, true]) make(party, leaf, 2)
    for (const _ of parties) {
      for (const { ends, had } of parties) for (const { peer } of ends) void peer.calls.call([...had])
      await world.rest()
    }
  }
  world.check = () => {
    if (world.steps % 16 !== 0) return
    for (const { peer } of ends)
      for (const [what, n] of Object.entries(peer.load)) if (!(n >= 0)) throw new Error(`${what} is ${n}`)
  }
  const cut = new Set<Pair>()
  for (const { at, operation } of steps) {
    const party = parties[at % parties.length] as Party
    for (const abort of party.aborts) if (abort.at-- === 0) abort.controller.abort()
    switch (operation.what) {
      case 'make':
        make(party, operation.leaf, operation.concurrency)
        break
      case 'give':
        party.give(operation.link, operation.which)
        break
      case 'call':
        party.call(operation, things)
        break
      case 'release': {
        const had = party.any(operation.which)
        if (had) party.had.splice(party.had.indexOf(had), 1)
        had?.ref.release()
        break
      }
      case 'dup': {
        const had = party.any(operation.which)
        if (had && (await settledNow(had.ref.closed)) === undefined) {
          had.ref.dup()
          party.take([had])
        }
        break
      }
      case 'revoke':
        things[party.any(operation.which)?.thing ?? -1]?.revokeBy(party)
        break
      case 'cut': {
        const link = links[operation.link % links.length] as Pair
        if (!cut.has(link)) link.cut()
        cut.add(link)
        break
      }
      case 'clock':
        vi.advanceTimersByTime(operation.ms)
        break
      case 'wait':
        if (world.chance(0.3)) await world.rest()
        else for (let n = 0; n < 5; n++) await Promise.resolve()
    }
  }
  await world.rest()
  // Nobody waits for ever who waits for what can end: none of these needs to be given up.
  freed.resolve()
  await world.until(Promise.all(parties.flatMap(({ promises }) => promises)))
  await world.rest()
  for (const { calls } of parties)
    expect(
      calls.filter(
        ({ settled, outcome, deniedBy }) =>
          settled !== 1 || outcome !== undefined || things[deniedBy ?? -1]?.revoked === false,
      ),
    ).toEqual([])
  // At home each is the original; elsewhere the same target is the same object, as long as it is held.
  for (const { name, had } of parties) {
    const own = things.filter(({ maker }) => maker.name === name).map(({ ref }) => ref)
    const working = had.map(({ ref }) => ref).filter(ref => ref.held || own.includes(ref))
    const strangers = working.filter(ref => !ref.target.reason && ref.address === name && !own.includes(ref))
    expect(strangers).toEqual([])
    const targets = working.map(ref => ref.target)
    expect(new Set(targets).size).toBe(new Set(working).size)
  }

  for (const { had } of parties) for (const { ref } of had.splice(0)) while (ref.held) ref.release()
  await world.rest()
  expect(leftAt(...ends)).toEqual(ends.map(() => []))
  // What a cut leaves of a form is a fault.
  if (cut.size === 0) expect(ends.flatMap(({ faults }) => faults)).toEqual([])
  expect(ends.flatMap(({ lateFailures }) => lateFailures)).toEqual([])
  for (const { disposed, wrongs, ref } of things) {
    expect(wrongs).toEqual([])
    // Disposed of once, if anybody had it or it was revoked; what was given to nobody is its maker's alone.
    expect(disposed).toBe(ref.target.sent || ref.target.reason ? 1 : 0)
  }
  for (const link of links) if (!cut.has(link)) link.cut()
  await world.rest()
  expect(leftAt(...ends)).toEqual(ends.map(() => []))
  expect(vi.getTimerCount()).toBe(0)
}

/** What a promise has resolved with already. */
function settledNow<T>(promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, Promise.resolve(undefined)])
}

describe('P83 P84 P86 processes that give each other references', () => {
  test(
    'P83 P84 P86 whatever they do, each call settles once, no target is called that was disposed of, and nothing is left',
    async () => {
      const unhandled: unknown[] = []
      const note = (error: unknown) => void unhandled.push(error)
      process.on('unhandledRejection', note)
      try {
        await fc.assert(
          fc.asyncProperty(steps, setting, async (steps, setting) => {
            await play(steps, setting)
            expect(unhandled.splice(0)).toEqual([])
          }),
          {
            seed,
            numRuns: 1_000_000,
            interruptAfterTimeLimit: seconds * 1000,
            markInterruptAsFailure: false,
          },
        )
      } finally {
        process.off('unhandledRejection', note)
      }
    },
    (seconds + 120) * 1000,
  )
})
