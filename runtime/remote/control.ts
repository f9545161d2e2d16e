import { describe } from '../edn/describe.ts'
import type { SignalName } from '../ambient.ts'
import { parse, stringify, Tagged } from '../edn/index.ts'
import { WatError } from '../error.ts'
import { endOf, isCount, isText, isTexts, isVariables } from '../wire/checks.ts'
import { fromFault, type FaultMap } from '../edn/fault.ts'
import { encodeFault } from '../wire/fault-text.ts'
import { mapOf } from '../wire/frame-items.ts'
import { BASIC_PROTOCOL, PROTOCOL } from '../wire/limits.ts'

/**
 * What a process that starts a program on another host and that host say to each other, one form a line, on
 * a lane of its own. Each comment is the form's sentence in docs/remote.md.
 */
export type Control =
  /** `#wat/host {…}` from the host, the first form: which protocol it speaks. */
  | { kind: 'host'; protocol: unknown }
  /** `#wat/launch {…}` to the host: the process it is to start. */
  | { kind: 'launch'; launch: Launch }
  /** `#wat/launched {…}` from the host: it runs. */
  | { kind: 'launched'; pid: number }
  /** `#wat/signal {…}` to the host: a signal for the process, or for its group. */
  | { kind: 'signal'; name: SignalName; group: boolean }
  /** `#wat/kill {}` to the host: kill it and everything below it. */
  | { kind: 'kill' }
  /** `#wat/exit {…}` from the host, the last form: how it ended. */
  | { kind: 'exit'; code: number | undefined; signal: string | undefined }
  /** `#wat/refused fault` from the host: it cannot be started. */
  | { kind: 'refused'; error: WatError }

/** What a host needs to know to start a process. */
export interface Launch {
  /** `file`: a path on the host; `sent`: it comes as the first frame of its stdin; `command`: not a wat-vm. */
  kind: 'file' | 'sent' | 'command'
  program: string
  args: string[]
  /** Added to the host's environment; nil takes a variable away. */
  env: [variable: string, value: string | null][]
  /** nil: the host's own. */
  cwd: string | null
  name: string
  address: string
  'stop-grace-ms': number
  'max-frame': number
  'exec-argv': string[]
  /** A connection that is silent so long is lost. */
  'silence-ms': number
  /** The version of the frames that whoever asks for it speaks; absent: the basic one. */
  speaks?: number
  /** A `#wat/given` frame comes over its stdin. */
  given?: boolean
}

/** The version of this vocabulary; that of the frames is apart. */
export const CONTROL_PROTOCOL = 1

export const sayHost = () => line('host', { protocol: CONTROL_PROTOCOL })
export const sayLaunch = (launch: Launch) =>
  line('launch', { protocol: CONTROL_PROTOCOL, speaks: PROTOCOL, ...launch })
export const sayLaunched = (pid: number) => line('launched', { pid })
export const saySignal = (name: SignalName, group: boolean) => line('signal', { name, group })
export const sayKill = () => line('kill', {})
export const sayExit = (code: number | undefined, signal: string | undefined) =>
  line('exit', { code, signal })
export const sayRefused = (fault: FaultMap) => `#wat/refused ${encodeFault(fault)}\n`

/** Reads one form. Throws `malformed` for what is none of them. */
export function toControl(text: string): Control {
  const form = parse(text)
  if (!(form instanceof Tagged)) throw malformed(text)
  const map = mapOf(form)
  switch (form.tag) {
    case 'wat/host':
      return { kind: 'host', protocol: map.protocol }
    case 'wat/launch':
      if (!isLaunch(map)) throw malformed(text)
      return { kind: 'launch', launch: { ...map, speaks: isCount(map.speaks) ? map.speaks : BASIC_PROTOCOL } }
    case 'wat/launched':
      if (!isCount(map.pid)) throw malformed(text)
      return { kind: 'launched', pid: map.pid }
    case 'wat/signal':
      if (!isSignal(map.name)) throw malformed(text)
      return { kind: 'signal', name: map.name, group: map.group === true }
    case 'wat/kill':
      return { kind: 'kill' }
    case 'wat/exit':
      return { kind: 'exit', ...endOf(map) }
    case 'wat/refused':
      return { kind: 'refused', error: fromFault(map) }
    default:
      throw malformed(text)
  }
}

function line(tag: string, body: object): string {
  return `#wat/${tag} ${stringify({ ...body })}\n`
}

function isLaunch(map: Record<string, unknown>): map is Record<string, unknown> & Launch {
  const numbers = [map['stop-grace-ms'], map['max-frame'], map['silence-ms']]
  return (
    ['file', 'sent', 'command'].includes(map.kind as string) &&
    [map.program, map.name, map.address, map.cwd ?? ''].every(isText) &&
    isTexts(map.args) &&
    isTexts(map['exec-argv']) &&
    isVariables(map.env) &&
    numbers.every(number => typeof number === 'number' && number >= 0)
  )
}

/** A signal has a name; that of another system is none here, and is not sent. */
function isSignal(value: unknown): value is NodeJS.Signals {
  return isText(value) && /^SIG[A-Z0-9]{1,20}$/.test(value)
}

function malformed(text: string): WatError {
  return new WatError('malformed', `not a form of the control lane: ${describe(text)}`)
}
