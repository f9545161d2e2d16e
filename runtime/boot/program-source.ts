import { Buffer } from 'node:buffer'
import fs from 'node:fs'
import { Reader, stringify } from '../edn/index.ts'
import type { Package } from '../portable/package-files.ts'
import { isTexts, isVariables } from '../wire/checks.ts'
import { toFrame } from '../wire/frames.ts'
import { MAX_TIMER_MS } from '../wire/limits.ts'
import { identity } from '../vm/identity.ts'
import { carry, TAKEN, WAITING, type Assignment } from '../vm/assignment.ts'
import { rehearse } from './program.ts'
import { showArguments } from '../vm/shown-arguments.ts'

/** The program as text, if it came so. */
function packageOf({ program, files, links }: Assignment): Package | undefined {
  if (!files) return undefined
  return {
    main: program,
    files: Object.fromEntries(files),
    ...(links && { links: Object.fromEntries(links) }),
  }
}

/** Until `assign` is called the process has no program: it has booted, and waits for one. */
export class ProgramSource {
  readonly #assignment = Promise.withResolvers<Assignment>()
  /** Where a spare says how far it is. */
  readonly #spareFd: number | undefined
  #taken = false

  constructor(spareFd: number | undefined) {
    this.#spareFd = spareFd
  }

  /** The parent has a program for it. False for what is none, and for a second one. */
  assign(info: Record<string, unknown>): boolean {
    if (this.#taken || !isAssignment(info)) return false
    this.#taken = true
    this.#assignment.resolve(info)
    return true
  }

  /** Waits for the program, and takes over everything that would have come with a start of its own. */
  async program(): Promise<Assignment> {
    const keepAlive = setInterval(() => {}, MAX_TIMER_MS)
    if (this.#spareFd !== undefined) {
      await warmUp()
      showArguments(['spare'])
      fs.writeSync(this.#spareFd, WAITING)
    }
    const assignment = await this.#assignment.promise
    clearInterval(keepAlive)
    takeOver(assignment)
    if (this.#spareFd !== undefined) {
      fs.writeSync(this.#spareFd, TAKEN)
      const { program, files, args, name } = assignment
      showArguments(files ? [name] : [program, ...args])
    }
    return assignment
  }
}

function takeOver(assignment: Assignment): void {
  const { env, cwd, address, name } = assignment
  carry(packageOf(assignment))
  if (cwd !== null && cwd !== process.cwd()) process.chdir(cwd)
  for (const [variable, value] of env) {
    if (value === null) delete process.env[variable]
    else process.env[variable] = value
  }
  identity.address = address
  identity.name = name
}

/** Goes the way of a first request once, so that it finds everything loaded and compiled. */
async function warmUp(): Promise<void> {
  const reader = new Reader()
  reader.push(
    Buffer.from('#wat/req [1 {:program "x" :args ["y"] :env [["A" "b"] ["C" nil]] :n 1.5 :ok true}]\n'),
  )
  if (reader.next()) stringify(toFrame(reader.value))
  await rehearse()
}

function isAssignment(info: Record<string, unknown>): info is Record<string, unknown> & Assignment {
  const { program, files, links, args, env, cwd, address, name, given } = info
  const texts = [program, cwd ?? '', address, name]
  return (
    texts.every(text => typeof text === 'string') &&
    (given === undefined || typeof given === 'boolean') &&
    isTexts(args) &&
    isVariables(env) &&
    [files, links].every(map => map === undefined || (map instanceof Map && isTexts([...map].flat())))
  )
}
