import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { placeOf, post } from '../outbound/post.ts'
import type { OtlpSettings } from './otlp-settings.ts'

/** Answers after which the specification asks for a retry. */
const BUSY = [429, 502, 503, 504]
const PAUSE_MS = 500

/**
 * Sends spans to an OTLP/HTTP receiver as JSON, through the proxy that HTTP_PROXY and the like name. Tries again while the receiver
 * is busy and time is left. Throws an Error with one line that holds no header. Source: opentelemetry.io/docs/specs/otlp.
 */
export async function sendSpans(spans: unknown[], settings: OtlpSettings, version: string): Promise<void> {
  const body = Buffer.from(JSON.stringify(exportRequest(spans, settings, version)))
  const deadline = AbortSignal.timeout(settings.timeoutMs)
  for (let wait = PAUSE_MS; ; wait *= 2) {
    const status = await send(settings.gzip ? gzipSync(body) : body, settings, deadline)
    if (status >= 200 && status < 300) return
    const place = placeOf(settings.url)
    if (!BUSY.includes(status)) throw new Error(`${place} answered with status ${status}`)
    await pause(wait, undefined, { signal: deadline }).catch(() => {
      throw new Error(`${place} was busy for ${settings.timeoutMs / 1000} s: status ${status}`)
    })
  }
}

const exportRequest = (spans: unknown[], { resource }: OtlpSettings, version: string) => ({
  resourceSpans: [
    {
      resource: {
        attributes: Object.entries(resource).map(([key, value]) => ({ key, value: { stringValue: value } })),
      },
      scopeSpans: [{ scope: { name: 'shipit-murder', version }, spans }],
    },
  ],
})

/** The status of the answer. */
function send(body: Buffer, settings: OtlpSettings, signal: AbortSignal): Promise<number> {
  const { url, headers, gzip, certificate, clientCertificate, clientKey } = settings
  const tls = {
    ...(certificate ? { ca: readFileSync(certificate) } : {}),
    ...(clientCertificate ? { cert: readFileSync(clientCertificate) } : {}),
    ...(clientKey ? { key: readFileSync(clientKey) } : {}),
  }
  const late = `no answer within ${settings.timeoutMs / 1000} s`
  const all = { ...headers, ...(gzip ? { 'content-encoding': 'gzip' } : {}) }
  return post({ url, body, headers: all, tls, signal, late })
}
