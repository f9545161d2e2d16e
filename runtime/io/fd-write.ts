import fs from 'node:fs'

/** More than a pipe takes at once; each chunk that is offered costs time. */
const MAX_OFFER_BYTES = 256 * 1024
/** As many chunks as the system takes in one call: IOV_MAX is 1024 on Linux and macOS. */
const MAX_CHUNKS = 1024

/** Writes what the system takes now; gives the number of bytes. Throws what it says, such as `EAGAIN`. */
export function writeNow(fd: number, chunks: Uint8Array[]): number {
  if (fd < 0) throw Object.assign(new Error('write EBADF'), { code: 'EBADF' })
  if (chunks.length === 1) return fs.writeSync(fd, chunks[0] as Uint8Array)
  return fs.writevSync(fd, chunks.slice(0, offered(chunks)))
}

function offered(chunks: Uint8Array[]): number {
  let count = 0
  for (let bytes = 0; count < chunks.length && count < MAX_CHUNKS && bytes < MAX_OFFER_BYTES; count++)
    bytes += (chunks[count] as Uint8Array).length
  return count
}

/**
 * Waits for room in a full pipe or terminal, sleeping between tries: nothing else may run any more. Gives the error
 * of what will never be written.
 */
export function writeBlocking(fd: number, bytes: Uint8Array): Error | undefined {
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  let offset = 0
  while (offset < bytes.length) {
    try {
      offset += writeNow(fd, [bytes.subarray(offset)])
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EAGAIN') Atomics.wait(sleeper, 0, 0, 1)
      else if (code !== 'EINTR') return error as Error
    }
  }
  return undefined
}
