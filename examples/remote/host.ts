// A host as a child: `wat host` says its address when it listens, and starts what others ask it to.
import { fileURLToPath } from 'node:url'
import { spawnProcess } from 'wat-vm'

const wat = fileURLToPath(new URL('../bin/wat', import.meta.resolve('wat-vm'))) // the one that runs this

export async function startHost(address: string, secret: string) {
  const args = ['host', address, '--secret', secret]
  const process = spawnProcess<never, never>({ command: wat, args })
  const at = (await process.stdout.recv()) as string | undefined
  if (at === undefined) throw new Error(`no host at ${address}`, { cause: (await process.exited).panic })
  return { process, at }
}
