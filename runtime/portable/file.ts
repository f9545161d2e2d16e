import { isUtf8 } from 'node:buffer'
import fs from 'node:fs'
import module from 'node:module'
import { WatError } from '../error.ts'
import { ownFile, type OwnFile } from './own-file.ts'
import type { Package } from './package-files.ts'
import { parseModule, placeOf, syntaxFault, type Program } from './parse.ts'
import { isCommonJs, referencesOf, type Reference } from './references.ts'

const MAX_FILES = 1000
const MAX_PACKAGE_BYTES = 8 * 1024 * 1024
/** A file that is no program and that the program only names is left out over this size. */
const MAX_ASSET_BYTES = 1024 * 1024

/** What the far side has because it has `wat`. */
const OURS = new Set(['wat-vm', 'wat-vm/edn', 'wat-vm/jsedn', 'wat-vm/channel'])

/**
 * A program file with every file of its own: what it imports, and what it names as `new URL('./literal',
 * import.meta.url)`, such as the programs it spawns, and so on from each of these. A name that is computed
 * is not seen. Throws `denied`, with who imports what, for what the far side could not run, and `too-large`.
 *
 * URLs are those that Node gives to modules, without symbolic links unless Node runs with
 * `--preserve-symlinks`; `links` says which of the names in the files lead where.
 */
export function filePackage(url: string): Package {
  const main = ownFile(url)
  if (!main) throw denied(`no such program: ${url}`)
  if (!isProgram(main)) throw denied(`${main.path} is no JavaScript or TypeScript`)
  const collection = new Collection()
  collection.add(main, 'import', url)
  return collection.package(main.url)
}

class Collection {
  readonly #files: Record<string, string> = {}
  readonly #links: Record<string, string> = {}
  /** Found but not read for what they refer to. */
  readonly #open: OwnFile[] = []
  #bytes = 0

  add(file: OwnFile, kind: Reference['kind'], by: string): void {
    if (file.url !== file.named) this.#links[file.named] = file.url
    if (file.url in this.#files) return
    if (/\.c[jt]s$/.test(file.path)) throw denied(`${file.path} is CommonJS; ${CANNOT}`)
    if (isProgram(file)) this.#open.push(file)
    else if (kind === 'file') return this.#addAsset(file)
    else if (!file.path.endsWith('.json')) {
      throw denied(`${by} imports ${file.path}, which is no JavaScript, TypeScript or JSON`)
    }
    this.#checkSize(file)
    this.#files[file.url] = readBytes(file).toString()
  }

  /** Text may be what the program needs. What is not text cannot be sent as a string. */
  #addAsset(file: OwnFile): void {
    if (file.sizeBytes > MAX_ASSET_BYTES) return
    const bytes = readBytes(file)
    if (!isUtf8(bytes)) return
    this.#checkSize(file)
    this.#files[file.url] = bytes.toString()
  }

  package(main: string): Package {
    for (let file = this.#open.pop(); file; file = this.#open.pop()) this.#follow(file)
    const links = this.#links
    return { main, files: this.#files, ...(Object.keys(links).length > 0 ? { links } : {}) }
  }

  #follow(file: OwnFile): void {
    const text = this.#files[file.url] ?? ''
    const program = parsed(file, text)
    if (isCommonJs(program)) throw denied(`${file.path} is CommonJS; ${CANNOT}`)
    for (const reference of referencesOf(program)) {
      const { kind, specifier, offset } = reference
      const by = `${file.path}:${placeOf(text, offset)}`
      if (kind === 'file') {
        const target = ownFile(specifier, file.url)
        if (target) this.add(target, kind, by)
      } else if (!isElsewhere(specifier)) {
        this.add(imported(reference, file.url, by), kind, by)
      }
    }
  }

  #checkSize({ sizeBytes }: OwnFile): void {
    this.#bytes += sizeBytes
    if (this.#bytes > MAX_PACKAGE_BYTES) {
      throw new WatError('too-large', `the program and what it imports are over ${MAX_PACKAGE_BYTES} bytes`)
    }
    if (Object.keys(this.#files).length >= MAX_FILES) {
      throw new WatError('too-large', `the program and what it imports are over ${MAX_FILES} files`)
    }
  }
}

const CANNOT =
  'only modules can be sent, so the far side has to have the program itself (option `send: false`)'

function isProgram({ path }: OwnFile): boolean {
  return /\.[mc]?[jt]s$/.test(path)
}

/** What is there wherever the program is. */
function isElsewhere(specifier: string): boolean {
  return OURS.has(specifier) || /^(?:node|data):/.test(specifier) || module.isBuiltin(specifier)
}

function imported({ kind, specifier }: Reference, importerUrl: string, by: string): OwnFile {
  if (!/^(?:\.{0,2}\/|\.{1,2}$|file:)/.test(specifier)) {
    throw denied(
      `${by} imports the package \`${specifier}\`, which is not sent with a program: ` +
        'the far side has to have the program and its packages itself (option `send: false`)',
    )
  }
  if (kind === 'require') throw denied(`${by} requires \`${specifier}\`; ${CANNOT}`)
  const file = ownFile(specifier, importerUrl)
  if (!file) throw denied(`${by} imports \`${specifier}\`, which is no file`)
  return file
}

function readBytes(file: OwnFile): Buffer {
  try {
    return fs.readFileSync(file.path)
  } catch (error) {
    throw denied(`${file.path} cannot be read`, error)
  }
}

function parsed(file: OwnFile, text: string): Program {
  try {
    return parseModule(/\.m?ts$/.test(file.path) ? module.stripTypeScriptTypes(text) : text)
  } catch (error) {
    const { message, offset } = syntaxFault(error)
    throw denied(`${file.path}:${placeOf(text, offset)} cannot be parsed: ${message}`, error)
  }
}

function denied(message: string, cause?: unknown): WatError {
  return new WatError('denied', message, cause === undefined ? {} : { cause })
}
