import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'rolldown'

/**
 * An `import` of one of Node's own modules reads every property of it, and thereby loads what is behind
 * those that Node makes on demand: half of the time that loading execa takes. So the bundle asks for the
 * module itself, and reads what it uses.
 */
const builtinsOnDemand: Plugin = {
  name: 'builtins-on-demand',
  resolveId(id) {
    return id.startsWith('node:') ? `\0${id}` : undefined
  },
  load(id) {
    if (!id.startsWith('\0node:')) return undefined
    const name = id.slice(1)
    const names = Object.keys(process.getBuiltinModule(name) as object).filter(each => each !== 'default')
    const code = [
      `const builtin = process.getBuiltinModule('${name}')`,
      'export default builtin',
      ...names.map(each => `const $${each} = builtin.${each}\nexport { $${each} as ${each} }`),
    ]
    return { code: code.join('\n'), moduleSideEffects: false }
  },
}

/** tree-kill starts processes by a file of ours, which bears what becomes of them. */
const listings: Plugin = {
  name: 'listings',
  resolveId(id, importer) {
    if (id !== 'child_process' || !importer?.includes('/tree-kill/')) return undefined
    return fileURLToPath(new URL('runtime/local/listing.ts', import.meta.url))
  },
}

/** What the first reply of a process and its first child do not need: loaded when it is asked for. */
const LATER =
  /runtime\/(edn|error|jsedn|net|channel|version|remote|thread|listen\/(?!listen\.|connect\.)|portable\/(?!package-files)|local\/(exec|listing|treekill|waker)|io\/(ring|merge|pump)|boot\/start)/

/**
 * A small entry that turns the compile cache on, one file for the codec, one for the runtime, and one
 * that is loaded with the first spawn: reading many small files costs more than a first reply. execa
 * and tree-kill are bundled, jsedn is not: only `wat-vm/jsedn` loads it.
 */
export default defineConfig({
  input: {
    boot: 'runtime/boot/start.ts',
    channel: 'runtime/channel/index.ts',
    core: 'runtime/index.ts',
    edn: 'runtime/edn/index.ts',
    jsedn: 'runtime/jsedn/index.ts',
  },
  platform: 'node',
  preserveEntrySignatures: 'allow-extension',
  external: ['jsedn', 'wat-vm'],
  plugins: [listings, builtinsOnDemand],
  treeshake: { propertyReadSideEffects: false },
  output: {
    dir: 'dist',
    format: 'esm',
    chunkFileNames: '[name].js',
    codeSplitting: {
      groups: [
        { name: 'codec', test: /^\0node:(buffer|fs|path)$|runtime\/(edn|error|version)/ },
        { name: 'core', test: id => /^\0node:(os|url|module)$|\/runtime\//.test(id) && !LATER.test(id) },
      ],
    },
    comments: { legal: true, annotation: true, jsdoc: false },
  },
})
