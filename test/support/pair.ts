import type { WatError } from '../../runtime/error.ts'
import { offline } from '../../runtime/edn/fault.ts'
import { helloFrame } from '../../runtime/wire/frames.ts'
import { DEFAULT_MAX_FRAME_BYTES, PROTOCOL } from '../../runtime/wire/limits.ts'
import { versionOf } from '../../runtime/wire/checks.ts'
import { Peer } from '../../runtime/wire/peer.ts'
import { MemoryPipe, type MemoryPipeOptions } from './memory-pipe.ts'
import type { World } from './world.ts'

export interface EndOptions {
  protocol?: number
  maxFrame?: number
  maxInFlight?: number
  /** Whether it may be given something, as a child may. */
  takesGiven?: boolean
}

/** One peer, and what it has told its owner. */
export class End {
  readonly peer: Peer
  readonly faults: WatError[] = []
  readonly broken: WatError[] = []
  readonly plainFailures: unknown[] = []
  /** What handlers failed with that had answered already. */
  readonly lateFailures: unknown[] = []
  /** What `#wat/given` frames have brought. */
  readonly givens: unknown[] = []
  readonly stops: number[] = []
  readonly readies: unknown[] = []

  constructor(name: string, { protocol = PROTOCOL, maxFrame, maxInFlight, takesGiven = false }: EndOptions) {
    this.peer = new Peer({
      other: { name: `the other of ${name}`, address: `/not-${name}` },
      address: `/${name}`,
      maxFrame: maxFrame ?? DEFAULT_MAX_FRAME_BYTES,
      maxInFlight,
      control: {
        ready: info => void this.readies.push(info),
        hello: info => this.peer.speak(versionOf(info.protocol)),
        stop: graceMs => void this.stops.push(graceMs),
        end: true,
        ...(takesGiven && { given: body => void this.givens.push(body) }),
      },
      onFault: error => void this.faults.push(error),
      onPlainFailed: error => void this.plainFailures.push(error),
      onFailedLate: error => void this.lateFailures.push(error),
      onBroken: error => {
        this.broken.push(error)
        this.peer.outbox.abort(error)
      },
    })
    this.peer.speak(protocol)
  }

  /** The other side need not have known of it: it is told, as a parent tells its child. */
  upgrade(): void {
    this.peer.outbox.push(helloFrame(PROTOCOL))
    this.peer.speak(PROTOCOL)
  }

  /** As the owner does when the other side is gone. */
  abort(): void {
    this.peer.abort(offline('the other side', '/', { signal: 'SIGKILL' }))
    this.peer.endInput()
  }

  /** What it holds of what came and of what goes, in bytes. */
  get held(): number {
    return this.peer.incoming.bytes + this.peer.answers.waitingBytes + this.peer.outbox.queued
  }
}

export interface Pair {
  a: End
  b: End
  ab: MemoryPipe
  ba: MemoryPipe
  /** Both pipes break, and each side is told that the other is gone. */
  cut(): void
}

/** Two peers and the pipes between them. */
export function pair(world: World, both: EndOptions & MemoryPipeOptions = {}, ofB: EndOptions = {}): Pair {
  const [ab, ba] = [new MemoryPipe(world, both), new MemoryPipe(world, both)]
  const [a, b] = [new End('a', both), new End('b', { ...both, ...ofB })]
  a.peer.open(ba.source, ab.sink)
  b.peer.open(ab.source, ba.sink)
  return {
    a,
    b,
    ab,
    ba,
    cut() {
      for (const pipe of [ab, ba]) {
        pipe.breakWriter()
        if (world.chance(0.5)) pipe.breakReader()
      }
      for (const end of [a, b]) world.post(() => end.abort())
    },
  }
}

export interface StrangerOptions extends EndOptions, MemoryPipeOptions {
  /** It does not read before `listen` is called. */
  deaf?: boolean
}

/** A peer, and the bare end of the pipes at its other side, which writes and reads what it likes. */
export class Stranger {
  readonly end: End
  readonly into: MemoryPipe
  readonly from: MemoryPipe
  readonly #world: World
  #text = ''
  readonly #decoder = new TextDecoder()

  constructor(world: World, options: StrangerOptions = {}) {
    this.#world = world
    this.into = new MemoryPipe(world, options)
    this.from = new MemoryPipe(world, options)
    this.end = new End('victim', options)
    this.end.peer.open(this.into.source, this.from.sink)
    this.from.source.open(
      chunk => void (this.#text += this.#decoder.decode(chunk, { stream: true })),
      () => {},
    )
    if (!options.deaf) this.listen()
  }

  get peer(): Peer {
    return this.end.peer
  }

  listen(): void {
    this.from.source.resume()
  }

  /** Writes; gives false when the pipe takes no more after everything else has happened. */
  async write(text: string | Uint8Array): Promise<boolean> {
    let done = false
    const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : Uint8Array.from(text)
    this.into.sink.write([bytes], error => {
      if (error) throw error
      done = true
    })
    await this.#world.rest()
    return done
  }

  /** The lines that have come. */
  get lines(): string[] {
    return this.#text.split('\n').slice(0, -1)
  }
}
