import { existsSync, globSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { read, root } from './sources.ts'

const DOCUMENTS = [
  'README.md',
  'TIERS.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'examples/peers/README.md',
  ...globSync('docs/*.md', { cwd: root }),
]

describe('P41 the documents hang together', () => {
  test.each(DOCUMENTS)('P41 every link of %s leads somewhere', document => {
    const links = [...read(document).matchAll(/\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g)]
    const broken = links.filter(([, file = '', anchor]) => {
      const target = file === '' ? document : path.posix.join(path.posix.dirname(document), file)
      return (
        !existsSync(path.join(root, target)) || (anchor !== undefined && !anchorsOf(target).includes(anchor))
      )
    })
    expect(broken.map(([link]) => link)).toEqual([])
  })
})

function anchorsOf(document: string): string[] {
  return [...read(document).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
