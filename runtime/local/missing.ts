import fs from 'node:fs'
import path from 'node:path'

/** How a shell exits that finds no such command, and one that may not run it. */
export const NOT_FOUND = 127
export const NOT_EXECUTABLE = 126

/** Why a shell could not run a command; `undefined` if it could: then the exit was the command's own. */
export function missing(command: string, searched = '', cwd = '.'): string | undefined {
  const folders = command.includes('/') ? [''] : searched.split(path.delimiter)
  const files = folders.map(folder => path.resolve(cwd, folder, command)).filter(isFile)
  if (files.length === 0) return `no such command: ${command}`
  return files.some(mayRun) ? undefined : `not allowed to run: ${files[0]}`
}

export function isFolder(name: string): boolean {
  try {
    return fs.statSync(name).isDirectory()
  } catch {
    return false
  }
}

function isFile(name: string): boolean {
  try {
    return fs.statSync(name).isFile()
  } catch {
    return false // not there, or below something that is no folder
  }
}

function mayRun(name: string): boolean {
  try {
    fs.accessSync(name, fs.constants.X_OK)
    return true
  } catch {
    return false
  }
}
