import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { declarations } from '../support/build.ts'
import { blocks, root, section } from './sources.ts'

const documents = ['README.md', 'TIERS.md', ...globSync('docs/*.md', { cwd: root })]

/** A project in which each document's snippets lie beside each other, as its reader would have them. */
const folder = mkdtempSync(path.join(tmpdir(), 'wat-snippets-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
beforeAll(declarations, 120_000)

describe('the snippets of the documents', () => {
  test('P74 compile with --strict --noUncheckedIndexedAccess, with `paths` as documented', () => {
    const files = documents.flatMap(document => {
      const place = path.join(folder, path.parse(document).name)
      mkdirSync(place)
      return blocks(document, 'ts').map((body, index) => {
        const name = /^\/\/ ([\w-]+\.ts)\n/.exec(body)?.[1] ?? `block-${index}.ts`
        // A file of its own, also where it imports nothing: then its names are not those of all others.
        writeFileSync(
          path.join(place, name),
          /^(import|export)\b/m.test(body) ? body : `${body}\nexport {}\n`,
        )
        return path.join(place, name)
      })
    })
    expect(files.length).toBeGreaterThan(30)
    expect(errorsOf(files)).toEqual([])
  }, 60_000)
})

function errorsOf(files: string[]): string[] {
  const program = ts.createProgram(files, {
    ...documentedOptions(),
    strict: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: true,
    typeRoots: [path.join(root, 'node_modules/@types')],
  })
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const where = file
      ? `${path.relative(folder, file.fileName)}:${file.getLineAndCharacterOfPosition(start).line + 1} `
      : ''
    return where + ts.flattenDiagnosticMessageText(messageText, '\n')
  })
}

/** What docs/how-to.md tells to put into a tsconfig.json, with this checkout in the place of its path. */
function documentedOptions(): ts.CompilerOptions {
  const text = section('docs/how-to.md', '## Use it in a program elsewhere')
  const json = /```json\n(.*?)```/s.exec(text)?.[1] ?? ''
  const { compilerOptions } = JSON.parse(json.replaceAll('/path/to/wat-vm/', root)) as {
    compilerOptions: object
  }
  expect(compilerOptions).toHaveProperty('paths')
  const { options, errors } = ts.convertCompilerOptionsFromJson(compilerOptions, folder)
  expect(errors).toEqual([])
  return options
}
