import { Buffer } from 'node:buffer'
import crypto from 'node:crypto'
import type { Duplex } from 'node:stream'
import { WatError } from '../error.ts'

/*
 * The handshake, before a single frame:
 *
 *   server -> client   Sc, 32 random bytes
 *   client -> server   HMAC-SHA256(secret, "CLIENT-AUTH" || Sc), and Cc, 32 random bytes
 *   server -> client   HMAC-SHA256(secret, "SERVER-AUTH" || Cc)
 *
 * The labels make a proof of one side worthless as a proof of the other: who sends our own challenge or
 * answer back has nothing. The challenges are fresh: who has recorded a connection has nothing either.
 *
 * What it does not do: the bytes that follow are neither encrypted nor signed. Who sits between two honest
 * ends and passes the handshake through, as he can who gets a client to connect to him, may then read and
 * change them. Nobody gets between the ends of a Unix socket in a private folder; with TCP, use TLS.
 */

/** The whole handshake takes this long at most, however the bytes come. */
export const HANDSHAKE_MS = 3000

const CHALLENGE_BYTES = 32
const PROOF_BYTES = 32

/** What a client sends to show that it knows the secret. */
export function clientProof(secret: Uint8Array, challenge: Uint8Array): Buffer {
  return proof(secret, 'CLIENT-AUTH', challenge)
}

/** What a server sends to show that it knows the secret. */
export function serverProof(secret: Uint8Array, challenge: Uint8Array): Buffer {
  return proof(secret, 'SERVER-AUTH', challenge)
}

/**
 * The server's side. Resolves when the client has shown that it knows the secret and the server's own
 * proof is written; what came behind the handshake is the next to be read. Rejects with a WatError
 * `denied` when the proof is wrong or the stream ends before it, and with whatever WatError destroyed
 * the stream. The stream is destroyed then, and nothing more is said to the client.
 */
export async function serverHandshake(stream: Duplex, secret: Uint8Array): Promise<void> {
  const challenge = crypto.randomBytes(CHALLENGE_BYTES)
  try {
    stream.write(challenge)
    const answer = await take(stream, PROOF_BYTES + CHALLENGE_BYTES)
    if (!crypto.timingSafeEqual(answer.subarray(0, PROOF_BYTES), clientProof(secret, challenge))) {
      throw new WatError('denied', 'a client does not know the secret')
    }
    stream.write(serverProof(secret, answer.subarray(PROOF_BYTES)))
  } catch (error) {
    stream.destroy()
    throw error
  }
}

/**
 * The client's side; `name` is the server's address, for messages. Resolves when the server has shown
 * that it knows the secret, and nothing but the handshake has been written until then; what came behind
 * it is the next to be read. Rejects with a WatError `denied` when the server's proof is wrong or the
 * stream ends before it, and with whatever WatError destroyed the stream. The stream is destroyed then.
 */
export async function clientHandshake(stream: Duplex, secret: Uint8Array, name: string): Promise<void> {
  const challenge = crypto.randomBytes(CHALLENGE_BYTES)
  try {
    const theirs = await take(stream, CHALLENGE_BYTES)
    stream.write(Buffer.concat([clientProof(secret, theirs), challenge]))
    const answer = await take(stream, PROOF_BYTES)
    if (!crypto.timingSafeEqual(answer, serverProof(secret, challenge))) {
      throw new WatError('denied', `${name} does not know the secret`)
    }
  } catch (error) {
    stream.destroy()
    if (!(error instanceof Closed)) throw error
    throw new WatError('denied', `${name} refused: wrong secret, or not a wat`, { cause: error.cause })
  }
}

/**
 * Destroys the stream with a WatError `timeout` after so many milliseconds, unless the function that it
 * returns is called before. Nothing that the other end sends makes it later.
 */
export function deadline(stream: Duplex, ms: number, message: string): () => void {
  const late = (): unknown => stream.destroy(new WatError('timeout', message))
  const timer = setTimeout(late, Math.min(ms, LONGEST_TIMER_MS))
  const stop = (): void => {
    clearTimeout(timer)
    stream.off('close', stop)
  }
  stream.once('close', stop)
  return stop
}

/** The longest delay a timer of Node takes; with a longer one it would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

function proof(secret: Uint8Array, label: string, challenge: Uint8Array): Buffer {
  return crypto.createHmac('sha256', secret).update(label).update(challenge).digest()
}

/** The stream was over before the handshake was. */
class Closed extends WatError {
  constructor(cause: unknown) {
    super('denied', 'closed during the handshake', cause === undefined ? {} : { cause })
  }
}

/**
 * Exactly so many bytes. `read(n)` gives nothing before all n are there, and leaves what is behind them
 * in the stream's own buffer for the next reader, at most its high-water mark: nothing is put back.
 */
function take(stream: Duplex, bytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const chunk = stream.read(bytes) as Buffer | null
      if (chunk?.length === bytes) settle(() => resolve(chunk))
      else if (chunk !== null) over() // at the end of a stream `read` gives less
    }
    const over = (): void => {
      const why = stream.errored ?? undefined // `destroy(error)` sets it before any event
      settle(() => reject(why instanceof WatError ? why : new Closed(why)))
    }
    const settle = (act: () => void): void => {
      stream.off('readable', look).off('end', over).off('error', over).off('close', over)
      act()
    }
    stream.on('readable', look).on('end', over).on('error', over).on('close', over)
    if (stream.destroyed || stream.readableEnded) over()
    else look()
  })
}
