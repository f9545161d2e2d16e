import { kw } from '../../edn/index.ts'
import type { GlobalSignal } from '../../ambient.ts'
import type { WatError } from '../../error.ts'
import { onAbort } from '../aborts.ts'
import { Receiver } from '../receiver.ts'
import { sizeOf } from './size-of.ts'
import type { Target } from './target.ts'

/** What a frame calls a reference whose items are pulled. */
export const STREAM = kw('stream')

/** What is known of a receiver whose items are pulled. */
interface Pull {
  readonly target: Target
  /** Something has been asked of it. */
  begun: boolean
  /** Takes back what a signal does to it. */
  unlisten?: () => void
  /** It gives no more, for this reason. */
  fail(reason: WatError): void
}

const pulls = new WeakMap<Receiver, Pull>()

/**
 * The items of a stream that has come. They are pulled while there is room for a batch, from the first `recv` on; so
 * its maker is a bounded number of bytes ahead of whoever reads.
 */
export function pulled(target: Target): Receiver {
  const cancelling = new AbortController()
  let pulling = false
  let over = false
  const release = () => {
    if (over) return
    over = true
    collected.unregister(receiver)
    unwatch()
    pull.unlisten?.()
    if (pulling) cancelling.abort() // what is under way holds the target, too
    target.release()
  }
  const more = () => {
    if (pulling || over || !pull.begun || receiver.bytes >= target.batchBytes) return
    if (target.reason) return pull.fail(target.reason)
    pulling = true
    target.call(target.batchBytes, { signal: cancelling.signal }).then(
      items => {
        pulling = false
        if (over) return
        if (!Array.isArray(items) || items.length === 0) {
          receiver.finish()
          return release()
        }
        for (const item of items) receiver.offer(item, sizeOf(item))
        more()
      },
      (error: WatError) => pull.fail(error),
    )
  }
  const receiver = new Receiver(
    () => {
      pull.begun ||= receiver.wanted
      more()
    },
    release,
    () => {},
    { closesWhenLeft: true },
  )
  const pull: Pull = {
    target,
    begun: false,
    fail(reason) {
      receiver.finish(reason)
      release()
    },
  }
  pulls.set(receiver, pull)
  target.hold()
  const unwatch = watchFor(receiver, target)
  collected.register(receiver, target, receiver)
  return receiver
}

/** The stream breaks while nobody pulls. It must not keep a receiver that the program has lost. */
function watchFor(receiver: Receiver, target: Target): () => void {
  const weak = new WeakRef(receiver)
  return target.watch(reason => {
    const left = weak.deref()
    if (left) pulls.get(left)?.fail(reason)
  })
}

/** Where its items come from, as long as nobody has asked for one: who gets it can pull there. */
export function originOf(receiver: Receiver): Target | undefined {
  const pull = pulls.get(receiver)
  return pull && !pull.begun ? pull.target : undefined
}

/** If it is a stream, it gives no more from when the signal aborts. */
export function governStream(receiver: unknown, signal: GlobalSignal, reason: () => WatError): void {
  const pull = receiver instanceof Receiver ? pulls.get(receiver) : undefined
  if (!pull) return
  if (signal.aborted) pull.fail(reason())
  else pull.unlisten = onAbort(signal, () => pull.fail(reason()))
}

/** One that the program has lost is not read any more. */
const collected = new FinalizationRegistry<Target>(target => target.lose())
