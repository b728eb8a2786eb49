import { readFileSync } from 'node:fs'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { HttpProxyAgent } from 'http-proxy-agent'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { getProxyForUrl } from 'proxy-from-env'
import type { OtlpSettings } from './otlp-settings.ts'

/** Answers after which the specification wants another try. */
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
    const status = await post(settings.gzip ? gzipSync(body) : body, settings, deadline)
    if (status >= 200 && status < 300) return
    const place = `${settings.url.protocol}//${settings.url.host}`
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
function post(body: Buffer, settings: OtlpSettings, signal: AbortSignal): Promise<number> {
  const { url, headers, gzip, certificate, clientCertificate, clientKey } = settings
  const tls = {
    ...(certificate ? { ca: readFileSync(certificate) } : {}),
    ...(clientCertificate ? { cert: readFileSync(clientCertificate) } : {}),
    ...(clientKey ? { key: readFileSync(clientKey) } : {}),
  }
  const proxy = getProxyForUrl(url.href)
  const isTls = url.protocol === 'https:'
  const agent = proxy && (isTls ? new HttpsProxyAgent(proxy) : new HttpProxyAgent(proxy))
  return new Promise((resolve, reject) => {
    const sent = (isTls ? tlsRequest : plainRequest)(url, {
      method: 'POST',
      headers: {
        ...headers,
        'content-type': 'application/json',
        'content-length': body.length,
        ...(gzip ? { 'content-encoding': 'gzip' } : {}),
      },
      signal,
      ...tls,
      ...(agent ? { agent } : {}),
    })
    sent.on('error', (error) => {
      const why = signal.aborted ? `no answer within ${settings.timeoutMs / 1000} s` : error.message
      reject(new Error(`${url.protocol}//${url.host}: ${why}`))
    })
    sent.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', reject)
    })
    sent.end(body)
  })
}
