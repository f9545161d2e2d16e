// An actor: its state is a variable, and nobody else can touch it.
import { serve } from 'wat-vm'

export type Message = 'count' | { add: number }

let count = 0
await serve((message: Message) => (message === 'count' ? count : (count += message.add)))
