// A leaf on another host. Its file, and what it imports, came with the branch.
import { serve } from 'wat-vm'
import { part } from './part.ts'

await serve((numbers: number[]) => [part(numbers)])
