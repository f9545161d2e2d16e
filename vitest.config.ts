import { defineConfig } from 'vitest/config'

/** Ends and stops have deadlines of a second or two, and linear time is measured: on a small machine two of these at a time are enough. */
const timed = ['test/{spawn,reliability,edn}/**/*.test.ts']

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
        test: { name: 'timed', include: timed, maxWorkers: 3, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        // They wait for processes most of the time: one more than the cores of a small machine.
        test: {
          name: 'others',
          include: ['test/**/*.test.ts'],
          exclude: timed,
          maxWorkers: 4,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
