// Adds up the numbers from 1, and reports after every quarter of them.
import { type Ref, serve, type WatError } from 'wat-vm'

let last: Ref<number, boolean> | undefined

export const worker = {
  async sum(most: number, progress: Ref<number, boolean>): Promise<number> {
    last = progress
    let sum = 0
    try {
      for (let n = 1; n <= most; n++) {
        sum += n
        if (n % (most / 4) === 0 && !(await progress.call(n / most))) break
      }
      return sum
    } finally {
      progress.release() // from Node.js 24 on `using` does it
    }
  },
  reportsLate: () => last?.call(2).catch((error: WatError) => error.code),
}

await serve(worker)
