import type { GlobalURL } from '../ambient.ts'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Served } from '../vm/serve.ts'
import { WatError } from '../error.ts'

/** What the package `wat-vm` exports; index.ts, which stands above all, says what that is. */
export interface Exports {}

/**
 * A program that is a function: the main of the process, called with what the package `wat-vm` exports and
 * what it is given. It is sent as its source text, so it uses nothing but what it is given, what it
 * imports inside, and the globals of JavaScript and Node. When it returns what `serve` does, its `Process` has
 * the types of the handler.
 */
export type Main<C = any, Req = any, Res = any> = (
  wat: Exports,
  given: C,
) => Promise<Served<Req, Res>> | Served<Req, Res> | {} | null | undefined | void

/** A program in any language: found in PATH, or a path. It speaks the wire on its own stdin and stdout, or just EDN. */
export interface Command {
  /** What is started. */
  command: string
  /** Its arguments. */
  args?: readonly string[] | undefined
}

/** What can be started: a TypeScript or JavaScript file, a function, or any other command. */
export type Program<C = any, Req = any, Res = any> = string | GlobalURL | Main<C, Req, Res> | Command

/** The same, parsed. `site` is where a function was given. */
export type ParsedProgram =
  /** Its path is `undefined` when it was relative to a working directory that has been removed. */
  | { kind: 'file'; path: string | undefined; specifier: string; label: string }
  | { kind: 'function'; main: Main; label: string; site: Error }
  | { kind: 'connection'; label: string }
  | { kind: 'command'; command: string; args: readonly string[]; label: string }

/** Nothing that is started: what somebody else serves at an address. */
export interface Connected {
  connection: string
}

/** Tells what is to be started. Throws `denied` for what can be none; a file is not looked at. */
export function parseProgram(program: Program | Connected): ParsedProgram {
  if (typeof program === 'object' && 'connection' in program)
    return { kind: 'connection', label: program.connection }
  if (typeof program === 'function')
    return { kind: 'function', main: program, label: program.name || 'function', site: new Error() }
  if (typeof program === 'string' || program instanceof URL) return file(program)
  const { command, args = [] } = (program ?? {}) as Partial<Command>
  if (typeof command === 'string' && command !== '' && Array.isArray(args)) {
    return { kind: 'command', command, args: args.map(String), label: path.parse(command).name }
  }
  throw new WatError('denied', 'a program is a path, a file URL, a function or { command, args }')
}

function file(program: string | GlobalURL): ParsedProgram {
  const isUrl = program instanceof URL || program.startsWith('file:')
  const specifier = isUrl ? localPath(program) : program
  return { kind: 'file', path: absolute(specifier), specifier, label: path.parse(specifier).name }
}

function absolute(specifier: string): string | undefined {
  try {
    return path.resolve(specifier)
  } catch {
    return undefined
  }
}

function localPath(url: string | GlobalURL): string {
  try {
    return fileURLToPath(url)
  } catch (cause) {
    throw new WatError('denied', `a program's URL is a file: URL, not ${String(url)}`, { cause })
  }
}
