export type TextName = 'source' | 'chinese' | 'russian' | 'emoji' | 'log'

/** Text of a kind, of about so many bytes: one string, but for the log, which is a vector of its lines. */
export function textOf(name: TextName, bytes: number): string | string[] {
  if (name !== 'log') return repeated(PARTS[name], bytes)
  const lines: string[] = []
  for (let length = 0; length < bytes; length += lines.at(-1)!.length) lines.push(logLine(lines.length))
  return lines
}

function repeated(part: string, bytes: number): string {
  // As from a file: what was put together piece by piece is slower to go through.
  return Buffer.from(part.repeat(Math.ceil(bytes / Buffer.byteLength(part)))).toString()
}

function logLine(index: number): string {
  const record = {
    time: new Date(1_700_000_000_000 + index * 977).toISOString(),
    level: index % 7 === 0 ? 'warn' : 'info',
    pid: 4211,
    msg: `request done: "GET /api/items/${index}"`,
    cwd: 'C:\\srv\\app',
    req: { id: index * 31, method: 'GET', url: `/api/items/${index}` },
    ms: ((index * 37) % 1000) / 10,
  }
  return Buffer.from(JSON.stringify(record)).toString()
}

const PARTS = {
  source: `import { readFile } from "node:fs/promises"

/** Reads what "config" names, or what it would be without. */
export async function load(path: string, fallback = "{}"): Promise<Config> {
\tconst text = await readFile(path, "utf8").catch(() => fallback)
\tif (!/^\\s*\\{/.test(text)) throw new Error("not a config: " + path)
\tfor (const [name, value] of Object.entries(JSON.parse(text))) {
\t\tif (typeof value !== "string") continue // the others are as they should be
\t\tconsole.log("read", name, "from", path, "with", value.length, "characters\\n")
\t}
\treturn JSON.parse(text) as Config
}
`,
  chinese:
    '滚滚长江东逝水，浪花淘尽英雄。是非成败转头空，青山依旧在，几度夕阳红。\n话说天下大势，分久必合，合久必分：“周末七国分争，并入于秦。”\n',
  russian:
    'Все счастливые семьи похожи друг на друга, каждая несчастливая семья несчастлива по-своему.\nВсе смешалось в доме Облонских: «жена узнала, что муж был в связи» — и объявила мужу.\n',
  emoji: 'Morning 😀 and then 🎉🎉, a 👍🏽 for everyone — 🚀 to the 🌕!\nWho has "won" 🏆? 👩‍👩‍👧‍👦 all of us.\n',
}
