import { createServer, type Server } from 'node:http'
import { isSystemError, MurderError, reason } from '../../errors.ts'
import { METRICS_CONTENT_TYPE, metricText } from '../../text/prometheus.ts'
import type { Stats } from '../../torrent/participant-options.ts'

/** A seeder's metrics for Prometheus. */
export function seederMetrics({ total, sent, peers, up }: Stats, infoHash: string): string {
  const of = (value: number) => [[{ info_hash: infoHash }, value]] as const
  return [
    metricText('murder_seeder_content_bytes', 'gauge', 'Size of what is shared.', of(total)),
    metricText('murder_seeder_sent_bytes_total', 'counter', 'Content that was sent to all peers.', of(sent)),
    metricText('murder_seeder_sending_bytes_per_second', 'gauge', 'How fast content is sent now.', of(up)),
    metricText('murder_seeder_peers', 'gauge', 'Peers that it is connected to.', of(peers)),
  ].join('')
}

/** Answers GET /metrics, and nothing else. Throws NO_METRICS where it cannot listen. It does not keep the process alive. */
export async function serveMetrics(
  { host, port }: { host: string; port: number },
  metrics: () => string,
): Promise<Server> {
  const server = createServer((request, response) => {
    const isAsked = request.url === '/metrics' && request.method === 'GET'
    if (isAsked) response.writeHead(200, { 'Content-Type': METRICS_CONTENT_TYPE }).end(metrics())
    else response.writeHead(404).end()
  })
  server.unref()
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(port, host, resolve)
    })
  } catch (error) {
    const why = isSystemError(error) ? reason(error) : String(error)
    throw new MurderError('NO_METRICS', `Nobody can listen on ${host} port ${port} for /metrics: ${why}`, {
      cure: 'name another address of this machine, or a free port, with --metrics',
      cause: error,
    })
  }
  server.on('error', () => {}) // a failed accept must not end the process
  return server
}
