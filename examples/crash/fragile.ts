// A leaf that halves numbers. What is no even number it does not survive: an error outside of any
// handler is a panic.
import { serve } from 'wat-vm'

await serve(n => (n % 2 === 0 ? n / 2 : new Promise(() => setImmediate(fall, n))))

function fall(n: number): never {
  throw new Error(`cannot halve ${n}`, { cause: new Error('it is odd') })
}
