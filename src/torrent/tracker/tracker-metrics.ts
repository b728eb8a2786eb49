import { metricText, type Sample } from '../../text/prometheus.ts'

/** A swarm as the tracker counts it. */
export interface Swarm {
  complete: number
  incomplete: number
}

/** A tracker's metrics for Prometheus; `swarms` by infohash, hex. */
export function trackerMetrics(
  swarms: Readonly<Record<string, Swarm>>,
  answers: { announces: number },
): string {
  const peers = Object.entries(swarms).flatMap(([infoHash, { complete, incomplete }]): Sample[] => [
    [{ info_hash: infoHash, state: 'complete' }, complete],
    [{ info_hash: infoHash, state: 'incomplete' }, incomplete],
  ])
  const count = Object.keys(swarms).length
  return [
    metricText('murder_tracker_torrents', 'gauge', 'Torrents that peers have announced.', [[{}, count]]),
    metricText(
      'murder_tracker_peers',
      'gauge',
      'Peers of each torrent, by whether they have all of it.',
      peers,
    ),
    metricText('murder_tracker_announces_total', 'counter', 'Announces that were answered.', [
      [{}, answers.announces],
    ]),
  ].join('')
}
