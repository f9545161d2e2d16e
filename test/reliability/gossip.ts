// References all over a tree that is going to be killed: each limb calls without end the one above it, the root and
// its siblings, by what it was given, is called back, and reads a little of a stream that never ends.
import { setTimeout as delay } from 'node:timers/promises'
import { ref, self, type Process, type Receiver, type Ref } from 'wat-vm'

/** Who is called: another process, perhaps by way of several. */
interface Friend {
  readonly ref: Ref<Word, any>
  pid?: number
  /** A call is under way. */
  asked: boolean
  closed: boolean
}

interface Word {
  back?: Ref<null, number>
  /** A stream is wanted, which never ends. */
  items?: true
}

const PAUSE_MS = 40

/** A dead process is known to be dead within this time to all who have something of it. */
const NEWS_MS = 1500

const friends: Friend[] = []
const wrongs: string[] = []

/** What others have of this process. */
export const own: Ref<Word, any> = ref(async ({ back, items }: Word) => {
  if (items) return forever()
  if (back && (await back.call(null)) <= 0) throw new Error('a callback of somebody else')
  return process.pid
})

/** What every child of this process is given. */
export const given = { up: own, top: (self.given.top ?? own) as Ref }

for (const name of ['up', 'top']) if (self.given[name]) befriend(self.given[name] as Ref)

/** Goes on calling it until it works no more. */
export function befriend(them: Ref<Word, any>): void {
  const friend: Friend = { ref: them, asked: false, closed: false }
  friends.push(friend)
  void them.closed.then(() => (friend.closed = true))
  void chat(friend)
}

/** Makes children known to each other: each gets what the others have given this process. */
export async function acquaint(children: Process<any, any>[]): Promise<void> {
  const refs = await Promise.all(children.map(child => child.call({ op: 'own' }) as Promise<Ref>))
  await Promise.all(
    children.map((child, n) => child.call({ op: 'befriend', friends: refs.filter((_, m) => m !== n) })),
  )
}

/** What is not as it should be, if anything: a call that does not settle, or a reference that outlives its process. */
export async function trouble(): Promise<string | undefined> {
  const late = () => friends.find(({ pid, asked, closed }) => isGone(pid) && (asked || !closed))
  for (const start = performance.now(); late() && performance.now() - start < NEWS_MS;) await delay(20)
  const friend = late()
  if (friend)
    return `${friend.asked ? 'a call to' : 'a reference of'} ${friend.ref.address}, which is dead, goes on`
  return wrongs[0]
}

async function chat(friend: Friend): Promise<void> {
  for (let n = 0; !friend.closed && !self.signal.aborted; n++) {
    friend.asked = true
    try {
      if (n % 3 === 2) await listenTo(await friend.ref.call({ items: true }))
      else friend.pid = await friend.ref.call(n % 3 ? {} : { back: ref(() => n + 1) })
    } catch (error) {
      const { code, message } = error as { code: string; message: string }
      if (code !== 'offline') wrongs.push(`${code} from ${friend.ref.address}: ${message}`)
    }
    friend.asked = false
    await delay(PAUSE_MS, undefined, { ref: false })
  }
}

/** Large items, for few of them are made ahead. */
async function* forever(): AsyncGenerator<[n: number, text: string]> {
  for (let n = 0; ; n++) yield [n, FILLING]
}

const FILLING = 'x'.repeat(8000)

/** To some of its items, in their order. */
async function listenTo(items: Receiver<[n: number, text: string]>): Promise<void> {
  let next = 0
  for await (const [n] of items) {
    if (n !== next++) throw new Error(`item ${n} in place of ${next - 1}`)
    if (n === 5) break
  }
}

function isGone(pid: number | undefined): boolean {
  try {
    return pid !== undefined && !process.kill(pid, 0)
  } catch {
    return true
  }
}
