import { rejection } from '../edn/stack.ts'
import type { WatError } from '../error.ts'
import { unread } from './encoded.ts'
import { Unread } from './unread.ts'

/** The body of a reply as the caller wants it, or why that cannot be had. */
export function replyBody(body: unknown, lazy: boolean): unknown {
  if (lazy === body instanceof Unread) return body
  try {
    return lazy ? unread(body) : (body as Unread).read()
  } catch (error) {
    return rejection(error as WatError)
  }
}
