/** The same callback, which does nothing the second time. */
export function once(callback: () => void): () => void {
  let called = false
  return () => {
    if (!called) callback()
    called = true
  }
}
