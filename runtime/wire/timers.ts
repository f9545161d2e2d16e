import { MAX_TIMER_MS } from './limits.ts'

/**
 * The one place where a number of milliseconds that came from a program, a frame or the environment becomes a
 * timer: Node takes what does not fit into 31 bits, and NaN, for "at once".
 */

/** What a timer can wait: longer than the longest is the longest, less than nothing and NaN are nothing. */
export function delayMs(ms: number): number {
  return ms > 0 ? Math.min(ms, MAX_TIMER_MS) : 0
}

/** `setTimeout` for any number. */
export function later(callback: () => void, ms: number): NodeJS.Timeout {
  return setTimeout(callback, delayMs(ms))
}

/** `setInterval` for any number. */
export function every(callback: () => void, ms: number): NodeJS.Timeout {
  return setInterval(callback, delayMs(ms))
}
