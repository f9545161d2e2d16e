import { existsSync } from 'node:fs'
import { defineConfig } from 'rolldown'

/**
 * One file for the bootstrap and the runtime, and one that is loaded with the first spawn: reading many
 * small files costs more than a first reply. execa and tree-kill are bundled, jsedn is not: only
 * `wat-vm/jsedn` loads it.
 */
export default defineConfig({
  input: {
    boot: 'runtime/vm/boot.ts',
    index: 'runtime/index.ts',
    edn: 'runtime/edn/index.ts',
    ...(existsSync('runtime/jsedn/index.ts') && { jsedn: 'runtime/jsedn/index.ts' }),
  },
  platform: 'node',
  external: ['jsedn'],
  output: {
    dir: 'dist',
    format: 'esm',
    sourcemap: false,
    chunkFileNames: '[name].js',
    minify: false,
    comments: { legal: true, annotation: true, jsdoc: false },
  },
})
