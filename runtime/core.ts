/**
 * What every wat-vm runs, in one file: the package as its program sees it, and its bootstrap. A program's
 * `wat-vm` is this very module, so that nothing is loaded twice.
 */
export * from './index.ts'
export { boot as 'wat-vm:boot' } from './vm/boot.ts'
