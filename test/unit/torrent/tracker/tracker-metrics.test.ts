import { execFileSync, spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { trackerMetrics } from '../../../../src/torrent/tracker/tracker-metrics.ts'

const swarms = { abab: { complete: 2, incomplete: 3 }, cdcd: { complete: 0, incomplete: 1 } }

describe('the metrics of a tracker', () => {
  it('count its torrents, their peers and announces', () => {
    expect(trackerMetrics(swarms, { announces: 9 })).toBe(`\
# HELP murder_tracker_torrents Torrents that peers have announced.
# TYPE murder_tracker_torrents gauge
murder_tracker_torrents 2
# HELP murder_tracker_peers Peers of each torrent, by whether they have all of it.
# TYPE murder_tracker_peers gauge
murder_tracker_peers{info_hash="abab",state="complete"} 2
murder_tracker_peers{info_hash="abab",state="incomplete"} 3
murder_tracker_peers{info_hash="cdcd",state="complete"} 0
murder_tracker_peers{info_hash="cdcd",state="incomplete"} 1
# HELP murder_tracker_announces_total Announces that were answered.
# TYPE murder_tracker_announces_total counter
murder_tracker_announces_total 9
`)
  })

  it.skipIf(spawnSync('promtool', ['--version']).error)('are what promtool accepts', () => {
    for (const each of [swarms, {}]) {
      const input = trackerMetrics(each, { announces: 0 })
      expect(execFileSync('promtool', ['check', 'metrics'], { input }).toString()).toBe('')
    }
  })
})
