import { serve } from 'wat-vm'
await serve((n: number) => n * n)
