// The slow end: it says now and then what it has added up so far.
import { setTimeout as work } from 'node:timers/promises'
import { println, readln } from 'wat-vm'

let [count, sum] = [0, 0]
for (let value; (value = await readln<{ n: number }>());) {
  sum += value.n
  if (++count % 10 === 0) {
    await work(8)
    await println({ count, sum })
  }
}
