import path from 'node:path'

/**
 * Where a file without a place of its own is said to be: in the working directory, or at the root when that has
 * been removed, for then it has no path any more.
 */
export function placeHere(name: string): string {
  try {
    return path.resolve(name)
  } catch {
    return path.join(path.parse(process.execPath).root, name)
  }
}
