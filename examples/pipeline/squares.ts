// The middle: one value in, one value out.
import { println, stdin } from 'wat-vm'

for await (const { n, payload } of stdin as AsyncIterable<{ n: number; payload: string }>) {
  await println({ n: n * n, payload })
}
