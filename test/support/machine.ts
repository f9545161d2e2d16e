import { execFileSync } from 'node:child_process'
import { accessSync, constants, existsSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = fileURLToPath(new URL('../../', import.meta.url)).replace(/\/$/, '')
export const wat = path.join(repository, 'bin/wat')
export const boot = path.join(repository, 'dist/boot.js')

/** The Node that runs the tests, first: whichever it is, it runs wat too. */
export const searchPath = `${path.dirname(process.execPath)}${path.delimiter}${process.env.PATH ?? '/usr/bin:/bin'}`

/** The absolute path of one of test/fixtures: tiny programs named by how they behave. */
export function fixture(name: string): string {
  return path.join(repository, 'test/fixtures', name)
}

/** Whether a command is installed. Where it is not, the tests that need it are skipped and say so. */
export function installed(command: string): boolean {
  return find(command).length > 0
}

/** A Node on this machine that is too old to run wat; `undefined` if there is none. */
export function tooOldNode(): string | undefined {
  return ['/usr/bin/node', '/usr/local/bin/node', ...find('node')].find(file => {
    if (!existsSync(file)) return false
    const [major = 0, minor = 0] = versionOf(file)
    return major < 22 || (major === 22 && minor < 18)
  })
}

/** The oldest Node that package.json promises to work with, which is a development dependency. */
export function oldestNode(): string | undefined {
  const file = path.join(repository, 'node_modules/node-oldest/bin/node')
  return existsSync(file) ? file : undefined
}

function find(command: string): string[] {
  return searchPath
    .split(path.delimiter)
    .map(folder => path.join(folder, command))
    .filter(file => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

function versionOf(node: string): number[] {
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8' }).slice(1).split('.').map(Number)
  } catch {
    return [Infinity] // a shim that leads nowhere
  }
}
