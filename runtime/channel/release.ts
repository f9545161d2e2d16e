import { AT, layoutOf } from './layout.ts'
import { leaveSlot, slotsOf } from './slot.ts'
import { readersSignal, writerSignal } from './signal.ts'
import { ownerOf } from './thread.ts'

/**
 * Gives back what a dead thread held of a channel: its readers hold the writer back no more, and if it was
 * the writer, readers read what is whole and find the end. For whoever started the thread, with the id it had
 * (`worker.threadId`, noted before its exit), when it is gone and not before. Idempotent. Throws `malformed`
 * when `buffer` is not that of a channel.
 */
export function releaseThread(buffer: SharedArrayBuffer, threadId: number): void {
  const memory = layoutOf(buffer)
  const { words } = memory
  for (const slot of slotsOf(memory, threadId)) leaveSlot(memory, slot)
  if (Atomics.load(words, AT.writer) === ownerOf(threadId)) Atomics.store(words, AT.closed, 1)
  // It may have died between a change and the waking of those who sleep until then.
  Atomics.add(words, AT.readersGone, 1)
  writerSignal(words).wakeAll()
  readersSignal(words).wakeAll()
}
