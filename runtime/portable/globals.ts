import vm from 'node:vm'

/**
 * Whether every module finds a name without declaring it. What this process has among its globals does not
 * say so: a test runner or a program may have put it there, and a child or another host would not have it.
 */
export function isGlobal(name: string): boolean {
  return globals().has(name)
}

let known: Set<string> | undefined

function globals(): Set<string> {
  known ??= new Set([...language(), ...NODE_GLOBALS])
  return known
}

/** What the language has in this version of V8: a context made for it has nothing else. */
function language(): string[] {
  return vm.runInNewContext('Object.getOwnPropertyNames(globalThis)') as string[]
}

/** What Node adds, in the oldest version that runs this package: the far side may have no newer one. */
export const NODE_GLOBALS = `
  AbortController AbortSignal Blob BroadcastChannel Buffer ByteLengthQueuingStrategy CompressionStream
  CountQueuingStrategy Crypto CryptoKey CustomEvent DOMException DecompressionStream Event EventTarget File
  FormData Headers MessageChannel MessageEvent MessagePort Navigator Performance PerformanceEntry
  PerformanceMark PerformanceMeasure PerformanceObserver PerformanceObserverEntryList
  PerformanceResourceTiming ReadableByteStreamController ReadableStream ReadableStreamBYOBReader
  ReadableStreamBYOBRequest ReadableStreamDefaultController ReadableStreamDefaultReader Request Response
  SubtleCrypto TextDecoder TextDecoderStream TextEncoder TextEncoderStream TransformStream
  TransformStreamDefaultController URL URLSearchParams WebSocket WritableStream
  WritableStreamDefaultController WritableStreamDefaultWriter atob btoa clearImmediate clearInterval
  clearTimeout console crypto fetch global navigator performance process queueMicrotask setImmediate
  setInterval setTimeout structuredClone
`
  .trim()
  .split(/\s+/)
