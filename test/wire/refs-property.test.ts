import fc from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import type { WatError } from '../../runtime/error.ts'
import type { Request } from '../../runtime/wire/handler.ts'
import type { Ref } from '../../runtime/wire/refs/ref.ts'
import { pair, type End, type Pair } from '../support/pair.ts'
import { Caller, clock, pause, playAny, PLAY_TIMEOUT_MS, wait, type Pause } from '../support/playing.ts'
import { made } from '../support/refs.ts'
import { checkLoads, expectNothingLeft, fakeTimers } from '../support/settling.ts'
import { World } from '../support/world.ts'

fakeTimers({ mayStay: true })

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
  | Pause

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
  { weight: 6, arbitrary: wait },
  { weight: 2, arbitrary: clock },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('cut' as const), link: fc.nat(1) }) },
)

const step: fc.Arbitrary<Step> = fc.record({ at: fc.nat(2), operation })

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
class Party extends Caller {
  readonly name: string
  readonly ends: End[] = []
  readonly had: Had[] = []
  /** What has denied calls that it had to take, unless it was revoked. */
  readonly deniedBy: number[] = []
  readonly freed: Promise<void>
  readonly #world: World
  #calls = 0

  constructor(world: World, name: string, freed: Promise<void>) {
    super()
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
    this.#ask(end.peer.calls.call(given))
  }

  call(operation: Operation & { what: 'call' }, things: readonly Thing[]): void {
    const had = this.any(operation.which)
    if (!had) return
    const arg = this.any(operation.arg)
    const signal = this.abortAfter(operation.abort)
    const body: Asked = {
      who: this.name,
      n: this.#calls,
      way: operation.way,
      arg: arg ? [arg] : [],
    }
    const { timeout } = operation
    // One that is held when it is called answers, unless its maker revokes it: whoever else lets go of it.
    const sure =
      had.ref.address !== this.name &&
      things[had.thing]?.disposed === 0 &&
      operation.way !== 'give' &&
      operation.way !== 'back' &&
      [had, arg].every(one => !one || one.ref.held || one.ref.address === this.name)
    const promise = had.ref.call(body, { signal, ...(timeout !== undefined && { timeout }) })
    this.#ask(promise, body.n, sure ? had.thing : undefined)
  }

  #ask(promise: Promise<unknown>, n?: number, sureOf?: number): void {
    this.#calls++
    this.follow(
      promise,
      (reply: { n?: number; given?: Had[] } | null) => {
        const { n: told, given = [] } = reply ?? {}
        this.take(given)
        return told === n ? undefined : `a reply to ${told} for ${n}`
      },
      (error: WatError) => {
        if (error.code === 'denied' && sureOf !== undefined) this.deniedBy.push(sureOf)
        return MAY_FAIL.has(error.code) ? undefined : error
      },
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
  world.check = () => checkLoads(world, ends)
  const cut = new Set<Pair>()
  for (const { at, operation } of steps) {
    const party = parties[at % parties.length] as Party
    party.step()
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
      case 'wait':
      case 'clock':
        await pause(world, operation)
    }
  }
  await world.rest()
  // Nobody waits for ever who waits for what can end: none of these needs to be given up.
  freed.resolve()
  await world.until(Promise.all(parties.flatMap(({ promises }) => promises)))
  await world.rest()
  expect(parties.flatMap(({ wrongs }) => wrongs)).toEqual([])
  expect(parties.flatMap(({ deniedBy }) => deniedBy).filter(thing => !things[thing]?.revoked)).toEqual([])
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
  expectNothingLeft(...ends)
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
  expectNothingLeft(...ends)
  expect(vi.getTimerCount()).toBe(0)
}

/** What a promise has resolved with already. */
function settledNow<T>(promise: Promise<T>): Promise<T | undefined> {
  return Promise.race([promise, Promise.resolve(undefined)])
}

describe('P83 P84 P86 processes that give each other references', () => {
  test(
    'P83 P84 P86 whatever they do, each call settles once, no target is called that was disposed of, and nothing is left',
    () => playAny(step, setting, play),
    PLAY_TIMEOUT_MS,
  )
})
