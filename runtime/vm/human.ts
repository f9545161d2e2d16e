import type { styleText } from 'node:util'
import { Keyword, parse, stringify, Tagged } from '../edn/index.ts'

type Style = Parameters<typeof styleText>[0]

const colours: Record<string, Style> = { debug: 'dim', info: 'cyan', warn: 'yellow', error: 'red' }

/** A record of stderr as a person likes to read it; what is no record stays as it is. */
export function humanRecord(line: string): string {
  let record: unknown
  try {
    record = parse(line)
  } catch {
    return line // not ours
  }
  if (!(record instanceof Tagged)) return line
  const { tag, value } = record
  if (tag === 'wat/raw') return typeof value === 'string' ? humanRaw(value, line) : line
  if (typeof value !== 'object' || value === null) return line
  const map = value as Record<string, unknown>
  if (tag === 'wat/log') return humanLog(map)
  if (tag === 'wat/fault') return `${paint('yellow', 'fault')} ${humanFault(map)}\n`
  if (tag === 'wat/panic') return `${paint('red', 'panic')} ${humanFault(map)}\n`
  return line
}

/** Whose the text is stands behind it, where EDN has comments. */
const ADDRESS = /" ; (\/[^\s"]*)\s*$/
const LONGEST_ADDRESS = 1024

function humanRaw(text: string, line: string): string {
  const address = ADDRESS.exec(line.slice(-LONGEST_ADDRESS))?.[1]
  return address === undefined ? `${text}\n` : `${paint('dim', address)} ${text}\n`
}

function humanLog(map: Record<string, unknown>): string {
  const level = map.level instanceof Keyword ? map.level.name : 'info'
  const time = map.at instanceof Date ? map.at.toISOString().slice(11, 23) : ''
  const data = map.data === undefined ? '' : ` ${stringify(map.data)}`
  return `${paint('dim', time)} ${paint(colours[level] ?? 'reset', level)} ${String(map.address)} ${String(map.message)}${data}\n`
}

function humanFault(map: Record<string, unknown>): string {
  const type = map.type instanceof Keyword ? map.type.name.replace('wat/', '') : 'handler'
  const lines = [`${String(map.address)} ${type}: ${String(map.message)}`]
  if (typeof map.stack === 'string') lines.push(map.stack)
  const exit = map.exit === undefined ? '' : ` ${stringify(map.exit)}`
  const cause = map.panic ?? map.cause
  if (typeof cause === 'object' && cause !== null) {
    lines.push(`${exit ? `  exit${exit}\n` : ''}  caused by ${humanFault(cause as Record<string, unknown>)}`)
  }
  return lines.join('\n')
}

/** Text in a style, where stderr shows styles. */
export function paint(style: Style, text: string): string {
  return process.getBuiltinModule('node:util').styleText(style, text, { stream: process.stderr })
}
