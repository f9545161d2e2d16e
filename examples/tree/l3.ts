// A leaf: it does the work.
import { serve } from 'wat-vm'
import { about, type Part } from './part.ts'

await serve((numbers: number[]): Part => ({
  sum: numbers.reduce((sum, n) => sum + n, 0),
  processes: [about()],
}))
