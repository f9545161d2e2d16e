import type { styleText } from 'node:util'
import { describe } from '../edn/describe.ts'
import { MAX_CAUSES } from '../edn/fault.ts'
import { Keyword, parse, stringify, Tagged } from '../edn/index.ts'

type Style = Parameters<typeof styleText>[0]

const colours = new Map<string, Style>([
  ['debug', 'dim'],
  ['info', 'cyan'],
  ['warn', 'yellow'],
  ['error', 'red'],
])

/** A record of stderr as a person likes to read it; what is no record of ours stays as it is. */
export function humanRecord(line: string): string {
  try {
    return shown(line, parse(line))
  } catch {
    return line
  }
}

function shown(line: string, record: unknown): string {
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
  return `${paint('dim', time)} ${paint(colours.get(level) ?? 'reset', level)} ${asText(map.address)} ${asText(map.message)}${data}\n`
}

function humanFault(fault: Record<string, unknown>): string {
  const lines: string[] = []
  let map: unknown = fault
  for (let n = 0; n <= MAX_CAUSES && typeof map === 'object' && map !== null; n++) {
    const { type, address, message, stack, exit, panic, cause } = map as Record<string, unknown>
    const name = type instanceof Keyword ? type.name.replace('wat/', '') : 'handler'
    lines.push(`${n === 0 ? '' : '  caused by '}${asText(address)} ${name}: ${asText(message)}`)
    if (typeof stack === 'string') lines.push(stack)
    map = panic ?? cause
    if (exit !== undefined && map) lines.push(`  exit ${stringify(exit)}`)
  }
  return lines.join('\n')
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : describe(value)
}

/** Text in a style, where stderr shows styles. */
export function paint(style: Style, text: string): string {
  return process.getBuiltinModule('node:util').styleText(style, text, { stream: process.stderr })
}
