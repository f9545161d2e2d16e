// Sends messages through a channel to readers of different speeds, and counts what is lost, torn or out of order:
// node test/channel/stress.ts [--messages 1e8] [--seed 1] [--bytes 65536]
import { parseArgs } from 'node:util'
import { faults, stress } from './stressing.ts'

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '1e8' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    bytes: { type: 'string', default: '65536' },
  },
})
const [messages, seed, bytes] = [values.messages, values.seed, values.bytes].map(Number) as [
  number,
  number,
  number,
]

const start = performance.now()
const told = await stress({ messages, seed, bytes, every: 1_000_000 })
const seconds = (performance.now() - start) / 1000

for (const { who, read, wrong, missed } of told) {
  console.log(
    `${who}: ${read.toLocaleString('en')} read, ${missed.toLocaleString('en')} missed, ${wrong} wrong`,
  )
}
const rate = Math.round(messages / seconds).toLocaleString('en')
console.log(
  `seed ${seed}: ${messages.toLocaleString('en')} messages in ${seconds.toFixed(0)} s, ${rate}/s to each reader`,
)
const found = faults(messages, told)
for (const fault of found) console.log(`FAILED: ${fault}`)
if (found.length > 0) process.exitCode = 1
else console.log('no loss, no tear, order kept')
