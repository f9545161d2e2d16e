import { Buffer } from 'node:buffer'
import { WatError } from '../error.ts'
import { sayLaunch, type Launch } from './control.ts'
import { runFrame } from '../wire/frames.ts'
import { CONTROL_BYTES } from './mux.ts'
import { assignmentFor } from '../child/assignment.ts'
import type { Settings } from '../child/options.ts'

interface LaunchOrder {
  launch: Launch
  greeting: string | undefined
}

/**
 * What a host is told to start, and what the process is told first. A function is sent, and so is a file
 * with everything of its own that it imports, unless `send` is false: then it is a path on that host.
 * Rejects as `assignmentFor` does, and with `too-large` for arguments and environment over 1 MiB.
 */
export async function launchOrderFor(
  settings: Settings,
  name: string,
  address: string,
): Promise<LaunchOrder> {
  const order = await orderFor(settings, name, address)
  const bytes = Buffer.byteLength(sayLaunch(order.launch))
  if (bytes > CONTROL_BYTES) {
    throw new WatError(
      'too-large',
      `arguments and environment of ${bytes} bytes; another host takes ${CONTROL_BYTES}`,
      { data: { bytes, most: CONTROL_BYTES } },
    )
  }
  return order
}

async function orderFor(settings: Settings, name: string, address: string): Promise<LaunchOrder> {
  const { program, args, env, stopGraceMs, maxFrame, execArgv, silenceMs } = settings
  const common: Omit<Launch, 'kind' | 'program' | 'args'> = {
    env: Object.entries(env).map(([variable, value]) => [variable, value ?? null]),
    cwd: settings.cwd ?? null,
    name,
    address,
    'stop-grace-ms': stopGraceMs,
    'max-frame': maxFrame,
    'exec-argv': [...execArgv],
    'silence-ms': silenceMs,
    ...(settings.given && { given: true }),
  }
  if (program.kind === 'command') {
    const launch: Launch = {
      ...common,
      kind: 'command',
      program: program.command,
      args: [...program.args, ...args],
    }
    return { launch, greeting: undefined }
  }
  if (program.kind === 'file' && !settings.send) {
    return {
      launch: { ...common, kind: 'file', program: program.specifier, args: [...args] },
      greeting: undefined,
    }
  }
  const greeting = runFrame(await assignmentFor(settings, name, address, true))
  return { launch: { ...common, kind: 'sent', program: name, args: [] }, greeting }
}
