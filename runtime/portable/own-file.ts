import fs from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'

export interface OwnFile {
  /** As the specifier says it, without query and fragment. */
  named: string
  /** As Node knows the module: without symbolic links, and encoded in Node's way. */
  url: string
  path: string
  sizeBytes: number
}

/** The file that a specifier means, as Node resolves it; `undefined` when there is no such file. */
export function ownFile(specifier: string, importerUrl?: string): OwnFile | undefined {
  try {
    const location = new URL(specifier, importerUrl)
    location.search = ''
    location.hash = ''
    const real = fs.realpathSync(fileURLToPath(location))
    const stat = fs.statSync(real)
    if (!stat.isFile()) return undefined
    return { named: location.href, url: pathToFileURL(real).href, path: real, sizeBytes: stat.size }
  } catch {
    return undefined // not there, not readable, or a URL that cannot be a path
  }
}
