import type { Timeline, TimeSpan } from '../../report/timeline.ts'
import { parseAddress } from '../../system/addresses.ts'
import { defined } from '../../system/defined.ts'
import type { RunReport } from './run-report.ts'

type Value = { stringValue: string } | { intValue: string } | { boolValue: boolean }
interface Attribute {
  key: string
  value: Value
}

export interface Span {
  traceId: string
  spanId: string
  parentSpanId?: string
  name: string
  /** 1 is internal. */
  kind: 1
  /** Nanoseconds since 1970. JSON has no integers of 64 bits. */
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: Attribute[]
  /** 1 is ok, 2 an error. */
  status: { code: 1 | 2; message?: string }
}

/** Random identities, as hex: 16 bytes for a trace, 8 for a span; and the span of the CI's own trace that this run is part of. */
export interface Identities {
  traceId: string
  parentSpanId?: string
  spanId: () => string
}

const OK = { code: 1 } as const

/**
 * The run as a trace: one span for the run, below it one for each step and each server, and below a server one for each phase.
 * Attributes follow OpenTelemetry's semantic conventions for CI/CD and deployments (1.30).
 */
export function traceOf(
  report: RunReport,
  timeline: Timeline,
  { traceId, parentSpanId, spanId }: Identities,
): Span[] {
  const ended = Date.parse(report.ended)
  const spans: Span[] = []
  const add = (name: string, { begun, ended: end }: Omit<TimeSpan, 'name'>, parent: string | undefined) => {
    const span: Span = {
      traceId,
      spanId: spanId(),
      ...defined({ parentSpanId: parent }),
      name,
      kind: 1,
      startTimeUnixNano: nanoseconds(begun),
      endTimeUnixNano: nanoseconds(Math.max(begun, end ?? ended)),
      attributes: [],
      status: OK,
    }
    spans.push(span)
    return span
  }
  const isDone = report.exitCode === 0
  const run = add(`deploy ${report.environment}`, { begun: Date.parse(report.begun), ended }, parentSpanId)
  if (!isDone) run.status = failed(report.error ?? `exit code ${report.exitCode}`)
  run.attributes = attributes({
    'cicd.pipeline.name': `shipit ${report.environment} deploy`,
    'cicd.pipeline.run.id': report.release,
    'cicd.pipeline.result': isDone ? 'success' : report.exitCode === 130 ? 'cancellation' : 'failure',
    'error.type': isDone ? null : `exit ${report.exitCode}`,
    'deployment.environment.name': report.environment,
    'deployment.id': report.release,
    'deployment.status': report.published || report.staged ? 'succeeded' : 'failed',
    'vcs.ref.head.revision': report.revision,
    'murder.package.size': report.packaged ? report.size : null,
    'murder.seeder.sent': report.seederUploaded,
  })
  for (const step of timeline.steps) {
    const task = add(step.name, step, run.spanId)
    task.attributes = attributes({
      'cicd.pipeline.task.name': step.name,
      'cicd.pipeline.task.run.id': task.spanId,
    })
  }
  for (const server of report.servers) {
    const phases = timeline.spansOf(server.server)
    const [first, last] = [phases[0], phases.at(-1)]
    if (!first || !last) continue
    const whole = add(server.server, { begun: first.begun, ended: last.ended ?? ended }, run.spanId)
    whole.attributes = attributes({
      ...endpointAttributes(server.address),
      'deployment.status': server.outcome === 'done' ? 'succeeded' : 'failed',
      'murder.received.seeder': server.fromSeeder,
      'murder.received.peers': server.fromPeers,
      'murder.sent': server.sent,
      'murder.retries': server.retries,
      'error.type': server.failure?.step,
    })
    for (const phase of phases) add(phase.name, phase, whole.spanId)
    if (!server.failure) continue
    whole.status = failed(server.failure.cause)
    const at = spans.at(-1)
    if (at) at.status = whole.status
  }
  return spans
}

/** `host:port`, as the deploy host reaches the server's sshd. */
function endpointAttributes(address: string) {
  const { host, port } = parseAddress(address) ?? { host: address, port: null }
  return { 'server.address': host, 'server.port': port }
}

const failed = (message: string): Span['status'] => ({ code: 2, message })

const nanoseconds = (milliseconds: number) => `${Math.round(milliseconds)}000000`

function attributes(values: Record<string, string | number | boolean | null | undefined>): Attribute[] {
  return Object.entries(values).flatMap(([key, value]) =>
    value === null || value === undefined ? [] : [{ key, value: typed(value) }],
  )
}

function typed(value: string | number | boolean): Value {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return { intValue: String(Math.round(value)) }
}
