import { defineConfig } from 'vitest/config'

/** Ends and stops have deadlines of a second or two, and linear time is measured: on a small machine two of these at a time are enough. */
const timed = ['test/{spawn,reliability,edn}/**/*.test.ts']

/**
 * Floods, stuck ends and hostile peers, which take their time: `npm test` leaves them to `npm run test:hostile`. Whoever
 * names no part runs both.
 */
const hostile = [
  'test/reliability/{bad-moments,error-paths,faulty-peers,hostile,shortage,stuck-root,times}.test.ts',
  'test/tiers/stuck-threads.test.ts',
  'test/wire/{bounds,standstill,too-large}.test.ts',
]
const isTimed = (file: string) => /^test\/(spawn|reliability|edn)\//.test(file)
const part = process.env.PART
const only = part === 'hostile' ? hostile : undefined
const left = part === 'quick' ? hostile : []

/** Real processes, so generous times: the machine that runs this may be slow or busy. */
export default defineConfig({
  test: {
    globalSetup: ['test/support/build.ts'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    reporters: ['default', './test/support/summary-reporter.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'timed',
          include: only?.filter(isTimed) ?? timed,
          exclude: left,
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // They wait for processes most of the time: one more than the cores of a small machine.
        test: {
          name: 'others',
          include: only?.filter(file => !isTimed(file)) ?? ['test/**/*.test.ts'],
          exclude: [...timed, ...left],
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
