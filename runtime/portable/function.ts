// placeholder until the branch `portable` is merged
export function functionProgram(main: Function): { main: string; files: Record<string, string> } {
  return { main: '[function].mts', files: { '[function].mts': `export default (${String(main)}\n)\n` } }
}
