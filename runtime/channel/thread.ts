/** As a claim records it: never 0, which is nobody. */
export type Owner = number

/** The calling thread. Asked for when something is claimed: this file must load without Node's modules. */
export function thisThread(): Owner {
  return ownerOf(process.getBuiltinModule('node:worker_threads').threadId)
}

/** `threadId` of the main thread is 0. */
export function ownerOf(threadId: number): Owner {
  return threadId + 1
}
