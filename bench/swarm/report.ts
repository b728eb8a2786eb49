import { fixed, formatTable } from '../shared/table.ts'
import type { Summary } from './summary.ts'

/**
 * One row for each contender. Without a link limit, rates and ratios to libtorrent take the place of S/B. `unequal`: some links
 * have other rates.
 */
export function reportTable(
  summaries: Summary[],
  size: number,
  rate: number | undefined,
  unequal: boolean,
): string {
  const limited = rate !== undefined
  const sites = Object.keys(summaries[0]?.longLinks ?? {})
  const head = [
    'contender',
    'first s',
    'median s',
    'last s',
    ...(unequal ? ['median of others ÷ S/B'] : []),
    ...(limited ? ['of S/B'] : ['MB/s', 'rate ÷ libtorrent']),
    'seeder sent ÷ S',
    ...sites.flatMap((site) => [`into site ${site} ÷ S`, 'out of it']),
    'overhead %',
    'twice %',
    'seeder CPU s',
    'peer CPU s',
    'seeder MiB',
    'peer MiB',
    'busy %',
  ]
  return [...new Set(summaries.map((one) => one.servers))]
    .map((servers) => {
      const group = summaries.filter((one) => one.servers === servers)
      const libtorrent = group.find((one) => one.contender === 'libtorrent')?.last
      const rows = group.map((one) => [
        one.failed ? `${one.contender} (${one.failed} of ${one.rounds} FAILED)` : one.contender,
        fixed(one.first),
        fixed(one.median),
        fixed(one.last),
        ...(unequal ? [fixed(one.fastOfLimit)] : []),
        ...(limited
          ? [fixed(one.ofLimit)]
          : [
              fixed(size / 1e6 / one.last, 0),
              fixed(libtorrent === undefined ? undefined : libtorrent / one.last),
            ]),
        fixed(one.seederUpload),
        ...sites.flatMap((site) => [fixed(one.longLinks[site]?.into), fixed(one.longLinks[site]?.outOf)]),
        fixed(one.overhead * 100, 1),
        fixed(one.twice === undefined ? undefined : one.twice * 100, 2),
        fixed(one.cpu.seeder, 1),
        fixed(one.cpu.peer, 1),
        fixed(one.peakMiB.seeder, 0),
        fixed(one.peakMiB.peer, 0),
        fixed(one.busy * 100, 0),
      ])
      return `${servers} servers\n${formatTable([head, ...rows])}`
    })
    .join('\n\n')
}
