import { text } from 'node:stream/consumers'
import { version } from '../version.ts'
import { otlpSettings } from './otlp-settings.ts'
import { sendSpans } from './send-spans.ts'

/**
 * A program of its own, because a run often ends within one turn of its event loop: reads spans (a JSON array) on standard input
 * and sends them. One line on standard error, and exit code 1, where that fails.
 */
try {
  const settings = otlpSettings(process.env)
  if (settings) await sendSpans(JSON.parse(await text(process.stdin)), settings, version)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}
