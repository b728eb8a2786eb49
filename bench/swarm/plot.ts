import { type Chart, type Series, svg } from '../shared/svg.ts'
import type { Run, Summary } from './summary.ts'

/** The run whose last server is the median one: what a curve is drawn of. */
function typicalRun(runs: Run[], summary: Summary): Run | undefined {
  const last = (run: Run) => Math.max(...Object.values(run.done))
  return runs
    .filter((run) => run.contender === summary.contender && run.servers === summary.servers)
    .filter((run) => run.problems.length === 0)
    .sort((a, b) => Math.abs(last(a) - summary.last) - Math.abs(last(b) - summary.last))[0]
}

/** Servers done over time for the largest fleet; and, with several fleet sizes, time over fleet size. */
export function plot(runs: Run[], summaries: Summary[], limit: number | undefined, title: string): string {
  const largest = Math.max(...summaries.map((one) => one.servers))
  const curves = summaries
    .filter((one) => one.servers === largest)
    .flatMap((summary): Series[] => {
      const run = typicalRun(runs, summary)
      if (!run) return []
      const times = Object.values(run.done).sort((a, b) => a - b)
      return [{ name: summary.contender, note: `${summary.last.toFixed(1)} s`, points: steps(times) }]
    })
  const charts: Chart[] = [
    {
      title: `Servers done over time, ${largest} servers`,
      x: 'seconds from the start of the peers',
      y: 'servers that have the content',
      series: curves,
      whole: ['y'],
      ...(limit === undefined ? {} : { marker: { x: limit, label: 'S/B' } }),
    },
  ]
  if (new Set(summaries.map((one) => one.servers)).size > 1) {
    const names = [...new Set(summaries.map((one) => one.contender))]
    charts.push({
      title: 'Time until the last server, over fleet size',
      x: 'servers',
      whole: ['x'],
      y: limit === undefined ? 'seconds' : 'time as a multiple of S/B',
      series: names.map((name) => ({
        name,
        note: noteOf(summaries.find((one) => one.contender === name && one.servers === largest)),
        dots: true,
        points: summaries
          .filter((one) => one.contender === name && Number.isFinite(one.last))
          .map((one): [number, number] => [one.servers, one.ofLimit ?? one.last])
          .sort((a, b) => a[0] - b[0]),
      })),
    })
  }
  return svg(title, charts)
}

function noteOf(summary: Summary | undefined): string {
  if (!summary) return ''
  return summary.ofLimit === undefined ? `${summary.last.toFixed(1)} s` : summary.ofLimit.toFixed(2)
}

function steps(times: number[]): [number, number][] {
  const points: [number, number][] = []
  for (const [i, time] of times.entries()) points.push([time, i], [time, i + 1])
  return points
}
