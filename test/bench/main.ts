/**
 * Measures wat-vm and its peers in one run, in turns. Ratios of medians count; absolute figures are
 * those of this machine at this moment. `npm run bench`, or `npm run bench -- --help`.
 */
import { writeFileSync } from 'node:fs'
import type { Figure } from './figure.ts'
import { figures } from './figures/index.ts'
import { readOptions, USAGE, type Options } from './options.ts'
import { blank, load, machine, reportOf, type Report } from './report.ts'
import { header, part, verdict } from './table.ts'

const options = readOptions(process.argv.slice(2))
if (options === 'help') console.log(USAGE)
else if (options === 'list') console.log(figures.map(({ name, title }) => `${name}: ${title}`).join('\n'))
else await main(options)

async function main(options: Options): Promise<void> {
  const chosen = figures.filter(
    ({ name }) => options.only.length === 0 || options.only.some(start => name.startsWith(start)),
  )
  if (chosen.length === 0) throw new Error(`no figure is called ${options.only.join(', ')}; see --list`)
  const { node, cpu, cores, system } = machine()
  console.log(`Node ${node}, ${cores} × ${cpu}, ${system}, ${options.rounds} rounds\n\n${header}`)
  const reports: Report[] = []
  for (const figure of chosen) {
    const report = await measure(figure, options)
    reports.push(report)
    console.log(`${part(report)}\n`)
  }
  console.log(options.quick ? 'Amounts this small measure nothing: no figure is judged.' : verdict(reports))
  if (options.json !== undefined) writeFileSync(options.json, toJson(reports, options))
}

async function measure(figure: Figure, options: Options): Promise<Report> {
  const why = figure.unavailable?.()
  if (why !== undefined) return blank(figure, { unavailable: why })
  const before = load()
  try {
    const outcome = await figure.measure(options)
    return reportOf(figure, outcome, [before, load()])
  } catch (error) {
    process.exitCode = 1 // the others are measured all the same
    return blank(figure, { failed: String(error) })
  }
}

function toJson(reports: Report[], { rounds, sliceMs, quick }: Options): string {
  const settings = { rounds, sliceMs, quick }
  return `${JSON.stringify({ machine: machine(), settings, figures: reports }, undefined, 2)}\n`
}
