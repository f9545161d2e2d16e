import { Buffer } from 'node:buffer'
import fs from 'node:fs'
import { Reader, stringify } from '../edn/index.ts'
import { toFrame } from '../wire/frames.ts'
import { MAX_TIMER_MS } from '../wire/limits.ts'
import { identity } from './identity.ts'
import { rehearse } from './program.ts'

/** What a spare writes on its lifeline: it has booted; it has taken the program it was given. */
export const WAITING = 'waiting\n'
export const TAKEN = 'taken\n'

/** What a spare becomes. */
export interface Assignment {
  program: string
  args: string[]
  /** The whole environment. */
  env: Map<string, string>
  cwd: string
  address: string
  name: string
}

/** The process is a spare until `assign` is called: it has booted, and waits for a program. */
export class SpareSeat {
  readonly #assignment = Promise.withResolvers<Assignment>()
  readonly #lifelineFd: number
  #taken = false

  constructor(lifelineFd: number) {
    this.#lifelineFd = lifelineFd
  }

  /** The parent has a program for it. False for what is none, and for a second one. */
  assign(info: Record<string, unknown>): boolean {
    if (this.#taken || !isAssignment(info)) return false
    this.#taken = true
    this.#assignment.resolve(info)
    return true
  }

  /** Waits for the program, and takes over everything that would have come with a start of its own. */
  async program(): Promise<{ program: string; args: string[] }> {
    const hold = setInterval(() => {}, MAX_TIMER_MS)
    await warmUp()
    fs.writeSync(this.#lifelineFd, WAITING)
    const { program, args, env, cwd, address, name } = await this.#assignment.promise
    clearInterval(hold)
    if (cwd !== process.cwd()) process.chdir(cwd)
    for (const variable of Object.keys(process.env)) if (!env.has(variable)) delete process.env[variable]
    for (const [variable, value] of env) {
      if (process.env[variable] !== value) process.env[variable] = value
    }
    identity.address = address
    identity.name = name
    fs.writeSync(this.#lifelineFd, TAKEN)
    return { program, args }
  }
}

/** Goes the way of a first request once, so that it finds everything loaded and compiled. */
async function warmUp(): Promise<void> {
  const reader = new Reader()
  reader.push(Buffer.from('#wat/req [1 {:program "x" :args ["y"] :env {"A" "b" "C" "d"} :n 1.5 :ok true}]\n'))
  if (reader.next()) stringify(toFrame(reader.value))
  await rehearse()
}

function isAssignment(info: Record<string, unknown>): info is Record<string, unknown> & Assignment {
  const { program, args, env, cwd, address, name } = info
  const texts = [program, cwd, address, name]
  return texts.every(text => typeof text === 'string') && Array.isArray(args) && env instanceof Map
}
