// A server to the shell and a client of two servers of its own.
//   $ echo '3 4' | wat both.ts
//   {:double 6 :square 9}
//   {:double 8 :square 16}
import { serve, spawnProcess } from 'wat-vm'
const double = spawnProcess<number, number>(new URL('./double.ts', import.meta.url))
const square = spawnProcess<number, number>(new URL('./square.ts', import.meta.url))
await serve(async (n: number) => ({ double: await double.call(n), square: await square.call(n) }))
