import { self, serve, spawnProcess } from 'wat-vm'

const below = Number(self.args[0]) - 1
const here = new URL(import.meta.url)
const children =
  below === 0 ? [] : [1, 2].map(() => spawnProcess<number, number>(here, { args: [String(below)] }))

await serve(async (value: number) => {
  const sums = await Promise.all(children.map(child => child.call(value)))
  return sums.reduce((total, sum) => total + sum, value)
})
