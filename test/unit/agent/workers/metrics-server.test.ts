import { execFileSync, spawnSync } from 'node:child_process'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { seederMetrics, serveMetrics } from '../../../../src/agent/workers/metrics-server.ts'

const stats = {
  ...{ bytes: 100, total: 100, down: 0, up: 7, received: 0, fromSeeder: 0, sent: 250, peers: 3 },
  ...{ foundContent: true, banned: [] },
}

describe('the metrics of a seeder', () => {
  it('say what it has sent, and to how many', () => {
    const text = seederMetrics(stats, 'abab')
    expect(text).toContain('\nmurder_seeder_sent_bytes_total{info_hash="abab"} 250\n')
    expect(text).toContain('\nmurder_seeder_peers{info_hash="abab"} 3\n')
  })

  it.skipIf(spawnSync('promtool', ['--version']).error)('are what promtool accepts', () => {
    const input = seederMetrics(stats, 'abab')
    expect(execFileSync('promtool', ['check', 'metrics'], { input }).toString()).toBe('')
  })

  it('are at /metrics, and nothing else is anywhere', async () => {
    const server = await serveMetrics({ host: '127.0.0.1', port: 0 }, () => 'a 1\n')
    const { port } = server.address() as AddressInfo
    try {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`)
      expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/)
      expect(await answer.text()).toBe('a 1\n')
      expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404)
      expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(404)
      await expect(serveMetrics({ host: '127.0.0.1', port }, () => '')).rejects.toMatchObject({
        code: 'NO_METRICS',
        message: expect.stringMatching(/127\.0\.0\.1 port \d+ for \/metrics/),
      })
    } finally {
      server.close()
    }
  })
})
