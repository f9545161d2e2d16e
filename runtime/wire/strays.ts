/**
 * Errors that nobody waits for, such as that of a clean-up. Where they are told is the process's business, which
 * says so at its start.
 */
let report: (error: unknown) => void = () => {}

export function reportStray(error: unknown): void {
  report(error)
}

export function reportStraysWith(reporter: (error: unknown) => void): void {
  report = reporter
}
