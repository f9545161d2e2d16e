// A server in one line: it answers whoever holds its pipes.
//   $ echo '21' | wat double.ts
//   42
import { serve } from 'wat-vm'
await serve((n: number) => n * 2)
