import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Timeline } from '../../report/timeline.ts'
import type { Shipit } from '../../shipit.ts'
import { oneLine } from '../../text/format.ts'
import { traceFile } from '../../trace-file.ts'
import type { RunReport } from './run-report.ts'
import { type Identities, traceOf } from './trace.ts'

/** Far above what the exporter takes with its own timeout of 10 s unless OTEL_EXPORTER_OTLP_TIMEOUT says more. */
const TIMEOUT_MS = 120_000

/**
 * Sends the run as a trace if OpenTelemetry's variables name a receiver. Waits for that, because the process may end right
 * afterwards. A failure is logged and does not fail the run.
 */
export function sendTrace(
  shipit: Shipit,
  report: RunReport,
  timeline: Timeline,
  env: NodeJS.ProcessEnv = process.env,
): void {
  if (!env.OTEL_EXPORTER_OTLP_ENDPOINT && !env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) return
  const spans = traceOf(report, timeline, identities(env.TRACEPARENT))
  const sent = spawnSync(process.execPath, [traceFile], {
    input: JSON.stringify(spans),
    env,
    timeout: TIMEOUT_MS,
    encoding: 'utf8',
  })
  if (sent.status === 0) return
  shipit.log(`The trace could not be sent: ${oneLine(sent.error?.message ?? sent.stderr)}`)
}

/** `parent`: the span of a CI's own trace, as in W3C Trace Context (`00-<trace>-<span>-<flags>`). */
function identities(parent = ''): Identities {
  const [, traceId, parentSpanId] = /^[\da-f]{2}-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}$/.exec(parent) ?? []
  const spanId = () => randomBytes(8).toString('hex')
  if (traceId === undefined || parentSpanId === undefined)
    return { traceId: randomBytes(16).toString('hex'), spanId }
  return { traceId, parentSpanId, spanId }
}
