import { println, stdin } from 'wat-vm'

let count = 0
for (;;) {
  const value = await stdin.recv()
  if (value === undefined) break
  if (value !== null) count++
  else {
    await println(count)
    count = 0
  }
}
