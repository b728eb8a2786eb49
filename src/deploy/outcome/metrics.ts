import { metricText, type Sample } from '../../text/prometheus.ts'
import type { RunReport } from './run-report.ts'

/**
 * The report in Prometheus' text format 0.0.4, for the textfile collector of node_exporter. All are gauges: each run replaces the
 * file. Names and units follow Prometheus' naming practices.
 */
export function metricsText(report: RunReport): string {
  const { environment, release, revision, servers, phases } = report
  const of = (value: number): Sample[] => [[{}, value]]
  const outcomes = ['done', 'failed', 'unfinished'] as const
  const families: [name: string, help: string, samples: Sample[]][] = [
    [
      'run_info',
      'Release and revision of the last run.',
      [[{ release: release ?? '', revision: revision ?? '' }, 1]],
    ],
    ['run_success', 'Whether the last run ended with exit code 0.', of(report.exitCode === 0 ? 1 : 0)],
    ['run_published', 'Whether the last run has changed a symlink.', of(report.published ? 1 : 0)],
    [
      'run_end_timestamp_seconds',
      'When the last run ended, since 1970.',
      of(Date.parse(report.ended) / 1000),
    ],
    ['run_duration_seconds', 'How long the last run took.', of(report.seconds)],
    [
      'run_phase_seconds',
      'Seconds of each phase of the last run. They may overlap.',
      Object.entries(phases).map(([phase, seconds]) => [{ phase }, seconds]),
    ],
    [
      'run_package_bytes',
      'Size of the package, or of the files of a release of which none was made.',
      of(report.size),
    ],
    ['run_seeder_sent_bytes', 'What the seeder has sent to all servers.', of(report.seederUploaded)],
    [
      'run_servers',
      'Servers of the last run by outcome.',
      outcomes.map((outcome) => [{ outcome }, servers.filter((server) => server.outcome === outcome).length]),
    ],
    [
      'server_received_bytes',
      'What a server got, by source.',
      servers.flatMap(({ server, fromSeeder, fromPeers }): Sample[] => [
        [{ server, source: 'seeder' }, fromSeeder],
        [{ server, source: 'peers' }, fromPeers],
      ]),
    ],
    [
      'server_sent_bytes',
      'What a server sent to others.',
      servers.map(({ server, sent }) => [{ server }, sent]),
    ],
    [
      'server_step_seconds',
      'Seconds that a server took for each step.',
      servers.flatMap(({ server, steps }) =>
        Object.entries(steps).map(([step, seconds]): Sample => [{ server, step }, seconds]),
      ),
    ],
  ]
  return families
    .filter(([, , samples]) => samples.length > 0)
    .map(([name, help, samples]) => {
      const labelled = samples.map(([labels, value]): Sample => [{ environment, ...labels }, value])
      return metricText(`murder_${name}`, 'gauge', help, labelled)
    })
    .join('')
}
