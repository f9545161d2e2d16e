// Writes as many prices as it is told, as fast as the slowest reader takes them, and answers with their sum.
import { self, serve } from 'wat-vm'

const prices = self.channel('prices').writer()

await serve(async (count: number) => {
  let sum = 0
  for (let price = 1; price <= count; price++) {
    await prices.write(new Uint8Array(Float64Array.of(price).buffer))
    sum += price
  }
  prices.close()
  return sum
})
