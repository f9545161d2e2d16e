import { execFile } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import { read, root, section, sorted, tableRows } from './sources.ts'

const run = promisify(execFile)
const manifest = JSON.parse(read('package.json')) as {
  exports: Record<string, string | { types: string; default: string }>
  scripts: Record<string, string>
  files: string[]
}
/** The comment that the bundler leaves where the code of a package begins. */
const FROM_PACKAGE = /^\s*\/\/(?:#region)? .*node_modules\/((?:@[^/\n]+\/)?[^/\n]+)/gm
const entries = Object.entries(manifest.exports).flatMap(([name, target]) =>
  typeof target === 'string' ? [] : [{ name, ...target }],
)

beforeAll(async () => {
  if (entries.some(({ types }) => !existsSync(path.join(root, types)))) {
    await run('tsc', ['-p', 'tsconfig.build.json'], { cwd: root })
  }
}, 120_000)

describe('P41 the package is what it says', () => {
  test('P41 every export has its code and its types', () => {
    const missing = entries
      .flatMap(entry => [entry.types, entry.default])
      .filter(file => !existsSync(path.join(root, file)))
    expect(missing).toEqual([])
  })

  test('P41 publint and attw find nothing', async () => {
    // Without scripts: a build now would take away the files that other tests are running.
    const env = { ...process.env, npm_config_ignore_scripts: 'true' }
    const { stdout } = await run('npm', ['run', '--silent', 'package'], { cwd: root, env })
    expect(stdout).toContain('All good!')
  }, 120_000)

  test('P41 what a program loads at its start reaches no dependency', () => {
    const reached = staticImports('boot.js')
    expect(reached.files).toContain('boot.js')
    expect(reached.packages).toEqual([])
    const packagesInside = [...reached.files].filter(file =>
      readFileSync(path.join(root, 'dist', file), 'utf8').match(FROM_PACKAGE),
    )
    expect(packagesInside).toEqual([])
    expect([...reached.files].filter(file => /exec|treekill|jsedn/.test(file))).toEqual([])
  })

  test('P41 every package whose code is in the bundle has its licence in THIRD-PARTY.md', () => {
    const code = globSync('dist/*.js', { cwd: root }).map(read).join('\n')
    const bundled = [...code.matchAll(FROM_PACKAGE)].map(([, name]) => name)
    expect(bundled).toContain('execa')
    const told = [...read('THIRD-PARTY.md').matchAll(/^## (.+)\n\n```text\n[^`]/gm)].map(([, name]) => name)
    expect([...new Set(bundled)].filter(name => !told.includes(name))).toEqual([])
    expect(manifest.files).toContain('THIRD-PARTY.md')
  })

  test('P41 the API table of the README lists the exports', async () => {
    const [main = '', edn = ''] = section('README.md', '## API').split("from 'wat-vm/edn'`")
    for (const [table, entry] of [
      [main, 'dist/core.js'],
      [edn, 'dist/edn.js'],
    ] as const) {
      const listed = tableRows(table).flatMap(([cell]) => /^`(\w+)`$/.exec(cell ?? '')?.[1] ?? [])
      const exported = (await import(/* @vite-ignore */ path.join(root, entry))) as object
      expect(sorted(listed)).toEqual(sorted(Object.keys(exported)))
    }
  })
})

describe('P41 README and .ci/run agree', () => {
  test('P41 the two commands of the README are the ones that .ci/run runs', () => {
    const commands = [...read('README.md').matchAll(/^\$ (npm .+?) {2,}# .+$/gm)].map(
      ([, command]) => command,
    )
    expect(commands).toEqual(["npm ci && echo '[1 2 3]' | npx wat examples/tree.ts", 'npm test'])
    const ci = read('.ci/run').split('\n')
    for (const command of commands) expect(ci).toContain(command)
  })

  test('P41 every script .ci/run calls exists', () => {
    const called = [...read('.ci/run').matchAll(/^npm run (?:--silent )?([\w:]+)$/gm)].map(
      ([, name]) => name ?? '',
    )
    expect(called.length).toBeGreaterThan(0)
    expect(called.filter(name => !(name in manifest.scripts))).toEqual([])
  })
})

/** What is loaded with a file of `dist/`, without what it loads later with `import()`. */
function staticImports(entry: string): { files: Set<string>; packages: string[] } {
  const files = new Set<string>()
  const packages: string[] = []
  const visit = (file: string): void => {
    if (files.has(file)) return
    files.add(file)
    const source = ts.createSourceFile(
      file,
      readFileSync(path.join(root, 'dist', file), 'utf8'),
      ts.ScriptTarget.Latest,
    )
    for (const statement of source.statements) {
      const from =
        ts.isImportDeclaration(statement) || ts.isExportDeclaration(statement)
          ? statement.moduleSpecifier
          : undefined
      if (!from || !ts.isStringLiteral(from) || from.text.startsWith('node:')) continue
      if (from.text.startsWith('.')) visit(path.posix.join(path.posix.dirname(file), from.text))
      else packages.push(from.text)
    }
  }
  visit(entry)
  return { files, packages }
}
