import { describe, it, ts, type Lab } from '../../support/lab.ts'
import { tierModule, tiers, type Tier } from '../tiers.ts'

/** Runs a program of these files, of which `main.ts` is the first, and gives what it prints. */
type Run = (lab: Lab, files: Record<string, string>) => Promise<any[]>

/** The same programs, with the same outcome, wherever what they spawn runs. */
export function atEachTier(tests: (test: typeof it, run: Run) => void): void {
  describe.each(tiers)('a program in $name', tier => {
    tests(it.skipIf(Boolean(tier.missing)) as typeof it, (lab, files) => run(lab, tier, files))
  })
}

async function run(lab: Lab, tier: Tier, files: Record<string, string>): Promise<any[]> {
  const { args, close } = await tier.prepare(lab)
  const main = ts`
    import { println as print } from 'wat-vm'
    import { ended, spawn, told } from './tier.ts'
    const println = (value: unknown) => print(plain(value))
    const plain = (value: any): any => Array.isArray(value) ? value.map(item => (item === undefined ? null : plain(item))) : value
    ${files['main.ts'] ?? ''}`
  try {
    return await lab.facts(lab.program({ ...files, 'main.ts': main, 'tier.ts': tierModule }), { args })
  } finally {
    await close()
  }
}
