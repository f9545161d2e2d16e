// Has a view of a store, and tries to make more of it. A friend, a process of its own, gets the view from here.
import { proxy, type Ref, self, serve, spawnProcess, type WatError } from 'wat-vm'
import { parse } from 'wat-vm/edn'
import type { Store } from './store.ts'

const given = self.given.view as Ref
const view = proxy<Store & { store(): unknown }>(given)
const friend = spawnProcess(({ serve }, { view }) => serve((asked: unknown) => view.call(asked)), {
  given: { view: given },
  name: 'friend',
})

export const guest = {
  reads: (keys: string[]) => Promise.all(keys.map(key => view.read(key))),
  tries: async () => ({
    write: await refusal(() => view.write('drink', 'poison')),
    delete: await refusal(() => view.delete('drink')),
    constructor: await refusal(() => given.call(parse('(constructor "return process")'))),
    store: await refusal(() => view.store()),
    forged: await refusal(() => given.call(parse('#wat/ref 1'))), // a number that was never given
    revoke: await refusal(() => given.revoke()),
    fourth: await refusal(() => view.read('drink')),
  }),
  isCutOff: async () => [
    await refusal(() => view.read('drink')),
    await refusal(() => friend.call(parse('(read "drink")'))),
  ],
}

async function refusal(attempt: () => unknown): Promise<string | undefined> {
  try {
    await attempt()
    return undefined // it worked
  } catch (error) {
    return (error as WatError).code
  }
}

await serve(guest)
