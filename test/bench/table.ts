import type { Line, Report } from './report.ts'

/** Widths of the columns: against whom, ours, theirs, ratio, target, met. */
const WIDTHS = [44, 12, 12, 9, 9, 5]

export const header = [row(['against', 'ours', 'peer', 'ratio', 'target', 'met']), ruler()].join('\n')

/** A figure's part of the table: its title, a row for each peer, and what else it asks for. */
export function part(report: Report): string {
  const { name, title, unit, load, lines, checks, notes } = report
  const heading = `${title} (${unit}) [${name}]`
  if (report.unavailable !== undefined) return `${heading}\n  not available: ${report.unavailable}`
  if (report.failed !== undefined) return `${heading}\n  FAILED: ${report.failed}`
  return [
    `${heading}, load ${load.map(value => value.toFixed(1)).join(' → ')}`,
    ...lines.map(line => lineOf(line, lines[0]?.ours)),
    ...checks.map(({ what, met }) => row([what, '', '', '', '', met ? 'yes' : 'NO'])),
    ...notes.map(note => `    ${note}`),
  ].join('\n')
}

/** What was asked and what was not met. */
export function verdict(reports: Report[]): string {
  const judged = reports.flatMap(({ name, lines, checks }) => [
    ...lines.flatMap(({ ours, peer, met }) =>
      met === undefined ? [] : [{ what: `${name}: ${ours} against ${peer}`, met }],
    ),
    ...checks.map(({ what, met }) => ({ what: `${name}: ${what}`, met })),
  ])
  const missed = judged.filter(({ met }) => !met)
  return [
    `${judged.length - missed.length} of ${judged.length} targets met`,
    ...missed.map(({ what }) => `  not met: ${what}`),
  ].join('\n')
}

function lineOf({ ours, peer, oursMedian, peerMedian, ratio, target, met }: Line, usual?: string): string {
  const bound = target ? `${target.bound === 'at least' ? '≥' : '≤'} ${target.ratio}` : ''
  return row([
    ours === usual ? peer : `${ours} / ${peer}`,
    amount(oursMedian),
    amount(peerMedian),
    ratio.toFixed(2),
    bound,
    met === undefined ? '' : met ? 'yes' : 'NO',
  ])
}

function row(cells: string[]): string {
  const padded = cells.map((cell, index) =>
    index === 0 ? `  ${cell}`.padEnd(WIDTHS[0] ?? 0) : cell.padStart(WIDTHS[index] ?? 0),
  )
  return padded.join(' ').trimEnd()
}

function ruler(): string {
  return WIDTHS.map(width => '─'.repeat(width)).join(' ')
}

/** Three digits tell more than the machine knows. */
function amount(value: number): string {
  return value >= 1000 ? Math.round(value).toLocaleString('en') : value.toPrecision(3)
}
