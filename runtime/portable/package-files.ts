import module from 'node:module'

/**
 * A program that can travel: what it is where it was collected, under the URLs that it has there. Only
 * strings, so that it can be sent as data.
 */
export interface Package {
  /** The URL of the file to run. It need not exist where it runs. */
  main: string
  /** The text of every file, by its URL: without symbolic links in it, as `import.meta.url` has it. */
  files: Record<string, string>
  /** URLs that lead to a file by way of a symbolic link, each with the file's; absent if there are none. */
  links?: Record<string, string>
}

export interface PackageSource {
  format: 'module-typescript' | 'module' | 'json'
  source: string
}

/**
 * The files of a package as a module loader asks for them, whatever is or is not on the disk. A child loads
 * this before its program, so it is free of everything that making a package takes.
 */
export class PackageFiles {
  readonly #files: Map<string, string>
  readonly #links: Map<string, string>

  constructor(pkg: Package) {
    this.#files = new Map(Object.entries(pkg.files))
    this.#links = new Map(Object.entries(pkg.links ?? {}))
  }

  /** The URL of the package's file that an import means; `undefined` when it means none of them. */
  resolve(specifier: string, parentUrl?: string): string | undefined {
    if (!/^(?:\.{0,2}\/|file:)/.test(specifier)) return undefined
    if (!URL.canParse(specifier, parentUrl)) return undefined
    const { file, rest } = split(new URL(specifier, parentUrl).href)
    const found = this.#links.get(file) ?? file
    return this.#files.has(found) ? found + rest : undefined
  }

  /** A module of the package, to be given to Node as it is; `undefined` when there is none of that URL. */
  source(url: string): PackageSource | undefined {
    const { file } = split(url)
    const source = this.#files.get(file)
    if (source === undefined) return undefined
    if (/\.m?js$/.test(file)) return { format: 'module', source }
    if (file.endsWith('.json')) return { format: 'json', source }
    if (!/\.m?ts$/.test(file)) return undefined
    if (!file.includes('/node_modules/')) return { format: 'module-typescript', source }
    return { format: 'module', source: module.stripTypeScriptTypes(source) } // Node strips no types there
  }
}

/** Two URLs that differ in query or fragment are two modules, made of one file. */
function split(url: string): { file: string; rest: string } {
  const [file = ''] = url.split(/[?#]/, 1)
  return { file, rest: url.slice(file.length) }
}
