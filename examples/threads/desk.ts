// A branch: it has a thread of its own that reads the prices, and passes requests on to it.
import { self, serve, spawnThread } from 'wat-vm'
import type { Report } from './reader.ts'

const channels = { prices: self.channel('prices') }
const reader = spawnThread<string, Report>(new URL('./reader.ts', import.meta.url), { channels })

await serve((question: string) => reader.call(question))
