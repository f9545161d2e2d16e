import vm from 'node:vm'
import { WatError } from '../../runtime/error.ts'
import type { Package } from '../../runtime/portable/package-files.ts'

type Anything = (...args: any[]) => any

/** The value of an expression as Node has it: the functions of a test file are what the test runner made. */
export function evaluated(expression: string): Anything {
  return vm.runInThisContext(`(${expression})`) as Anything
}

/** The same for what can be written in a module only. */
export async function exported(expression: string): Promise<Anything> {
  return (await imported(`export default (${expression})`)).default
}

/** The error that it throws. */
export function refused(run: () => unknown): WatError {
  try {
    run()
  } catch (error) {
    if (error instanceof WatError) return error
    throw error
  }
  throw new Error('it was not refused')
}

/** The module of a package that has one file. */
export function ran({ main, files }: Package): Promise<{ default: Anything }> {
  return imported(files[main] ?? '')
}

function imported(text: string): Promise<{ default: Anything }> {
  const url = `data:text/javascript,${encodeURIComponent(text)}`
  return import(/* @vite-ignore */ url) as Promise<{ default: Anything }>
}
