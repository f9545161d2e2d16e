import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it, ts, type Lab } from '../support/lab.ts'
import { fixture, oldestNode, repository, tooOldNode, wat } from '../support/machine.ts'

describe('the command', () => {
  it('P23 --help and -h print how to use it on stdout, exit 0', async ({ lab }) => {
    for (const option of ['--help', '-h']) {
      const outcome = await lab.command(wat, [option]).end()
      expect(outcome).toMatchObject({ code: 0, stderr: '' })
      expect(outcome.stdout).toMatch(/^Usage: wat /)
      for (const word of ['-e', '--pretty', '--max-frame', '--version', 'Exit codes', '65', '66'])
        expect(outcome.stdout).toContain(word)
      expect(Math.max(...outcome.stdout.split('\n').map(line => line.length))).toBeLessThanOrEqual(100)
    }
  })

  it('P23 --version and -v print one line, the version of package.json', async ({ lab }) => {
    const { version } = (await import('../../package.json', { with: { type: 'json' } })).default
    for (const option of ['--version', '-v']) {
      const outcome = await lab.command(wat, [option]).end()
      expect(outcome).toEqual({ code: 0, signal: null, stdout: `wat ${version}\n`, stderr: '' })
    }
  })

  it('P23 wrong use is exit 64 and one line on stderr that helps', async ({ lab }) => {
    const wrong = [
      ['--nope'],
      ['-x', 'p.ts'],
      ['--nope=1'],
      [],
      ['-e'],
      ['-e', ''],
      ['--pretty'],
      ['--pretty=x', 'p.ts'],
      ['--max-frame'],
      ['--max-frame', 'p.ts'],
      ...['', '0', '-1', '1.5M', '5X', 'MiB', '1e6', '99999999G'].map(size => [
        `--max-frame=${size}`,
        'p.ts',
      ]),
      ['--'],
      [''],
    ]
    for (const args of wrong) {
      const outcome = await lab.command(wat, args).end()
      expect(outcome, args.join(' ')).toMatchObject({ code: 64, signal: null, stdout: '' })
      expect(outcome.stderr, args.join(' ')).toMatch(/^wat: [^\n]*\n$/)
    }
  })

  it('P23 what follows the program belongs to the program; -- ends the options', async ({ lab }) => {
    const program = lab.program(ts`
      import { println, self } from 'wat-vm'
      await println(self.args)`)
    const args = (list: string[]) =>
      lab
        .command(wat, list)
        .end()
        .then(({ stdout }) => stdout)
    expect(await args([program, '--help', '-e', '--', '-v'])).toBe('["--help" "-e" "--" "-v"]\n')
    expect(await args(['--', program, '--pretty'])).toBe('["--pretty"]\n')
  })

  it('P23 -e serves an expression', async ({ lab }) => {
    const evaluate = (expression: string, input: string, more: string[] = []) =>
      lab.command(wat, ['-e', expression, ...more]).end(input)
    expect(await evaluate('n => n * 2', '1 2')).toEqual({
      code: 0,
      signal: null,
      stdout: '2\n4\n',
      stderr: '',
    })
    expect(await evaluate('(n: number) => n + 1', '1')).toMatchObject({ code: 0, stdout: '2\n' })
    expect(await evaluate('() => self.args', '1', ['a', 'b'])).toMatchObject({ stdout: '["a" "b"]\n' })
    expect(await evaluate('async n => kw("k" + n)', '1')).toMatchObject({ stdout: ':k1\n' })
    expect(await evaluate('n => ({ n }) // why', '1')).toMatchObject({ stdout: '{:n 1}\n' })
    expect(await evaluate('n =>', '1')).toMatchObject({ code: 3, stdout: '' })
    expect(await evaluate('5', '1')).toMatchObject({ code: 3, stdout: '' })
  })

  it('P23 -e finds files and packages from the working directory', async ({ lab }) => {
    const folder = path.dirname(
      lab.program({
        'one.ts': 'export const one: number = 1',
        'double.ts': ts`
      import { serve } from 'wat-vm'
      await serve((n: number) => n * 2)`,
      }),
    )
    const imported = lab.command(wat, ['-e', `async n => n + (await import('./one.ts')).one`], {
      cwd: folder,
    })
    expect(await imported.end('1')).toMatchObject({ code: 0, stdout: '2\n' })
    const spawning = lab.command(
      wat,
      ['-e', `async n => { const d = spawnProcess('double.ts'); return await d.call(n) }`],
      { cwd: folder },
    )
    expect(await spawning.end('4')).toMatchObject({ code: 0, stdout: '8\n', stderr: '' })
  })

  it('P23 --pretty writes over several lines what reads back as the same values', async ({ lab }) => {
    const value = `{:a [${Array.from({ length: 40 }, (_, n) => n).join(' ')}] :b {:c "${'x'.repeat(70)}"}}`
    const outcome = await lab.run(fixture('echo.ts'), { options: ['--pretty'], input: value })
    expect(outcome).toMatchObject({ code: 0, stderr: '' })
    expect(outcome.stdout.split('\n').length).toBeGreaterThan(3)
    expect(outcome.stdout.replace(/\s+/g, ' ').trim()).toBe(value)
    const frame = await lab.run(fixture('echo.ts'), { options: ['--pretty'], input: `#wat/req [1 ${value}]` })
    expect(frame.stdout).toBe(`#wat/rep [1 ${value}]\n`)
  })

  it('P22 a program that is missing, or no file, is exit 66 and one clear record', async ({ lab }) => {
    const folder = lab.folder()
    mkdirSync(path.join(folder, 'dir.ts'))
    symlinkSync('nowhere.ts', path.join(folder, 'dangling.ts'))
    for (const name of ['missing.ts', 'dir.ts', '.', 'dangling.ts', 'missing.ts/x.ts']) {
      const outcome = await lab.run(name, { cwd: folder })
      expect(outcome, name).toMatchObject({ code: 66, signal: null, stdout: '' })
      expect(outcome.stderr, name).toMatch(/^#wat\/panic \{[^\n]*\}\n$/)
      expect(outcome.stderr, name).toContain(name === '.' ? folder : name)
      expect(outcome.stderr, name).not.toContain(':stack')
    }
    writeFileSync(path.join(folder, 'file.ts'), '')
  })

  const unloadable: Record<string, [files: Record<string, string>, told: RegExp[]]> = {
    'a syntax error': [{ 'p.ts': 'const x = 1\nconst = 5\n' }, [/p\.ts/, /\b2\b/]],
    'a syntax error in JavaScript': [{ 'p.mjs': 'const x = 1\nconst = 5\n' }, [/p\.mjs/, /\b2\b/]],
    'TypeScript that is more than types': [{ 'p.ts': '\nenum A { B }\n' }, [/enum/, /p\.ts/]],
    'an import that is missing': [{ 'p.ts': `import './gone.ts'` }, [/gone\.ts/, /p\.ts/]],
    'a package that is missing': [{ 'p.ts': `import 'no-such-package'` }, [/no-such-package/, /p\.ts/]],
    'a name that wat-vm does not export': [{ 'p.ts': `import { nope } from 'wat-vm'` }, [/nope/]],
    'a throw at import': [{ 'p.ts': `\nthrow new Error('boom')` }, [/"boom"/, /p\.ts:2/]],
    'a throw in what it imports': [
      { 'p.ts': `import './q.ts'`, 'q.ts': `throw new Error('boom')` },
      [/"boom"/, /q\.ts:1/],
    ],
    'a value thrown at import': [{ 'p.ts': `throw 'text'` }, [/text/]],
    'a rejection at import': [{ 'p.ts': `await Promise.reject(new Error('boom'))` }, [/"boom"/]],
  }
  for (const [what, [files, told]] of Object.entries(unloadable)) {
    it(`P22 ${what} is exit 3 and one record that says what and where, without frames of ours`, async ({
      lab,
    }) => {
      const outcome = await lab.run(lab.program(files), { input: '1' })
      expect(outcome).toMatchObject({ code: 3, signal: null, stdout: '' })
      expect(outcome.stderr).toMatch(/^#wat\/panic \{[^\n]*\}\n$/)
      for (const pattern of told) expect(outcome.stderr).toMatch(pattern)
      expect(outcome.stderr).not.toMatch(/dist\/|runtime\/|node:internal/)
    })
  }

  it('P22 a program that exits while it boots exits with its code', async ({ lab }) => {
    expect(await lab.run(lab.program('process.exit(7)'))).toEqual({
      code: 7,
      signal: null,
      stdout: '',
      stderr: '',
    })
    expect(await lab.run(lab.program('process.exit()'))).toEqual({
      code: 0,
      signal: null,
      stdout: '',
      stderr: '',
    })
  })

  /** A folder that is a PATH with the machine's old Node in it, or with none. */
  const pathWith = (lab: Lab, node?: string): string => {
    const bin = lab.folder()
    for (const command of ['sh', 'readlink']) symlinkSync(`/bin/${command}`, path.join(bin, command))
    if (node) symlinkSync(node, path.join(bin, 'node'))
    return bin
  }

  /** The package as npm installs it, without a Node of its own. */
  const installedWat = (lab: Lab): string => {
    const folder = path.join(lab.folder(), 'node_modules/wat-vm')
    for (const part of ['bin', 'dist', 'package.json']) {
      cpSync(path.join(repository, part), path.join(folder, part), { recursive: true })
    }
    return path.join(folder, 'bin/wat')
  }

  const tellsVersion = "() => [process.version, process.execPath.includes('/node_modules/node')]"

  it.skipIf(!tooOldNode())(
    'P73 a checkout runs on its own Node where the machine has an old one',
    async ({ lab }) => {
      const linked = path.join(lab.folder(), 'wat')
      symlinkSync(wat, linked)
      for (const command of [wat, linked]) {
        const env = { PATH: pathWith(lab, tooOldNode()) }
        const outcome = await lab.command(command, ['-e', tellsVersion], { env }).end('1')
        expect(outcome).toMatchObject({ code: 0, stdout: '["v26.10.0" true]\n', stderr: '' })
      }
    },
  )

  it('P73 a checkout runs on its own Node where the machine has none', async ({ lab }) => {
    const outcome = await lab.command(wat, ['-e', tellsVersion], { env: { PATH: pathWith(lab) } }).end('1')
    expect(outcome).toMatchObject({ code: 0, stdout: '["v26.10.0" true]\n', stderr: '' })
  })

  it.skipIf(!oldestNode())(
    'P73 a Node in the PATH that is new enough goes before the own one',
    async ({ lab }) => {
      const env = { PATH: pathWith(lab, oldestNode()) }
      const outcome = await lab.command(wat, ['-e', '() => process.version'], { env }).end('1')
      expect(outcome).toMatchObject({ code: 0, stdout: '"v22.18.0"\n', stderr: '' })
    },
  )

  it.skipIf(!tooOldNode())(
    'P73 an installed package on a Node that is too old is exit 64 and one line that says how to get another',
    async ({ lab }) => {
      const env = { PATH: pathWith(lab, tooOldNode()) }
      const outcome = await lab.command('sh', [installedWat(lab), fixture('double.ts')], { env }).end('1')
      expect(outcome).toMatchObject({ code: 64, stdout: '' })
      expect(outcome.stderr).toMatch(/^wat: needs Node\.js 22\.18[^\n]*npm i -g node@26[^\n]*nvm[^\n]*\n$/)
    },
  )

  it('P73 an installed package with no Node at all is exit 64 and one line that says how to get one', async ({
    lab,
  }) => {
    const env = { PATH: pathWith(lab) }
    const outcome = await lab.command('/bin/sh', [installedWat(lab), fixture('double.ts')], { env }).end()
    expect(outcome).toMatchObject({ code: 64, stdout: '' })
    expect(outcome.stderr).toMatch(/^wat: needs Node\.js 22\.18[^\n]*npm i -g node@26[^\n]*nvm[^\n]*\n$/)
  })

  it.skipIf(!tooOldNode())(
    'P73 importing an entry of the package on an old Node says so',
    async ({ lab }) => {
      for (const entry of ['core', 'edn', 'channel', 'jsedn']) {
        const url = pathToFileURL(path.join(repository, `dist/${entry}.js`)).href
        const script = `import(${JSON.stringify(url)}).catch(error => console.log(error.code, error.message))`
        const { stdout } = await lab.command(tooOldNode()!, ['-e', script]).end()
        expect(stdout, entry).toMatch(
          /^ERR_WAT_NODE_VERSION wat-vm needs Node\.js 22\.18 or newer, this is v\d+.*npm i -g node@26/,
        )
      }
    },
  )
})
