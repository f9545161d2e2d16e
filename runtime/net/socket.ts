/**
 * How every socket is made, at both ends. Small writes go out at once, because a frame is worth its
 * packet. A connection that is silent for so many ms is probed by the system, which ends it when the other
 * host does not answer; TCP alone would wait for ever.
 */
export const SOCKET_OPTIONS = {
  allowHalfOpen: true,
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 30_000,
} as const

/** A listener for errors that are followed by `close`, where they are dealt with. */
export function ignore(): void {}
