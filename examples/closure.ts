// Programs that are functions. Each runs as if it were a file, with what it is given and nothing else: one
// starts another that is written inside it, which starts a third; as a process, and as a thread. One that
// reaches for what it was not given is refused at its start, with the name and the place of it.
//   $ wat closure.ts
//   {:by "/process" :pid 29890 :price 35} … and five more: rated and net below it, and the three again
//   {:refused "denied" :names [{:name "given" :place "1:49"}]}
import assert from 'node:assert/strict'
import { type Main, println, spawnProcess, spawnThread, type WatError } from 'wat-vm'

type Step = { by: string; pid: number; price: number }
const given = { rate: 3, fee: 5 }

const billed: Main<typeof given> = async ({ self, serve, spawnProcess }, { rate, fee }) => {
  const rated: Main<{ rate: number }> = async ({ self, serve, spawnProcess }, { rate }) => {
    const net: Main = ({ self, serve }) =>
      serve((price: number): Step[] => [{ by: self.address, pid: process.pid, price }])
    const below = spawnProcess<number, Step[]>(net)
    await serve(async (n: number): Promise<Step[]> => [
      { by: self.address, pid: process.pid, price: n * rate },
      ...(await below.call(n)),
    ])
  }
  const below = spawnProcess<number, Step[]>(rated, { given: { rate } })
  await serve(async (n: number): Promise<Step[]> => {
    const steps = await below.call(n)
    return [{ by: self.address, pid: process.pid, price: steps[0]!.price + fee }, ...steps]
  })
}

for (const [name, spawn] of Object.entries({ process: spawnProcess, thread: spawnThread })) {
  const steps = await spawn<number, Step[]>(billed, { name, given }).call(10)
  for (const step of steps) await println(step)
  assert.equal(String(steps.map(step => step.price)), '35,30,10')
  assert.equal(steps[0]!.pid === process.pid, name === 'thread', 'only a thread is within this process')
}

const reaches = spawnProcess(({ serve }) => serve((price: number) => price * given.rate))
const { cause } = (await reaches.ready.catch((error: unknown) => error)) as { cause: WatError }
assert.deepEqual([cause.code, cause.data], ['denied', { names: [{ name: 'given', place: '1:49' }] }])
await println({ refused: cause.code, ...(cause.data as object) })
