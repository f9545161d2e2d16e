// The other half of both.ts, and a program of its own.
//   $ echo '3 4' | wat square.ts
//   9
//   16
import { serve } from 'wat-vm'
await serve((n: number) => n * n)
