import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { WatError } from '../error.ts'
import { launchOrderFor } from './launch-order.ts'
import type { Settings } from '../child/options.ts'
import { resolveOptions } from '../child/options.ts'
import { OsProcess } from '../local/os-process.ts'
import { RemoteProcess, type Transport } from './remote-process.ts'

/**
 * What a launcher is to run at the other end: words that mean the same to a shell, which some launchers
 * hand them to, and without one. All else goes over stdin.
 */
const HOST = ['wat', 'host', 'stdio:']

/** Starts a program wherever a launcher leads. Rejects with `offline` when the launcher cannot be started. */
export async function startVia(settings: Settings, name: string, address: string): Promise<RemoteProcess> {
  const { launch, greeting } = await launchOrderFor(settings, name, address)
  const [command = '', ...args] = settings.via
  const launcher = resolveOptions(
    { command, args: [...args, ...HOST] },
    { env: environment(), stopGrace: settings.stopGraceMs },
  )
  const process = await OsProcess.start(launcher, name, address, 'command-line')
  return new RemoteProcess(transportOf(process, settings.via), launch, greeting)
}

/** A launcher that stays on this host finds the `wat` of this package, unless there is another before it. */
function environment(): NodeJS.ProcessEnv {
  const bin = fileURLToPath(new URL('../bin', import.meta.url))
  return {
    PATH: [process.env.PATH, bin, path.dirname(process.execPath)].filter(Boolean).join(path.delimiter),
  }
}

function transportOf(launcher: OsProcess, via: readonly string[]): Transport {
  const label = via.join(' ')
  const failure = launcher.exited.then(
    ({ code, signal, panic }) =>
      panic ??
      new WatError(
        'offline',
        `the launcher ${label} ${signal ? `was killed by ${signal}` : `exited with code ${code}`}`,
      ),
  )
  return {
    ...launcher.streams,
    label,
    failure,
    notes: launcher.stderr,
    drained: flows => launcher.drained(flows),
    setRef: on => launcher.setRef(on),
    close: () => launcher.abandon(),
  }
}
