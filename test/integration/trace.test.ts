import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { createGunzip } from 'node:zlib'
import { afterEach, describe, expect, it } from 'vitest'
import type { Span } from '../../src/deploy/outcome/trace.ts'

const program = fileURLToPath(new URL('../../dist/trace.mjs', import.meta.url))
const spans = [{ name: 'deploy' }] as unknown as Span[]
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

interface Got {
  url: string | undefined
  headers: IncomingHttpHeaders
  body: unknown
}

/** A receiver that answers with these statuses, one after the other. */
async function receiver(...statuses: number[]) {
  const got: Got[] = []
  const server = createServer(async (request, response) => {
    const packed = request.headers['content-encoding'] === 'gzip'
    const body = await json(packed ? request.pipe(createGunzip()) : request)
    got.push({ url: request.url, headers: request.headers, body })
    response.writeHead(statuses[got.length - 1] ?? 200).end('{}')
  })
  server.listen(0, '127.0.0.1')
  closing.push(() => server.close())
  await once(server, 'listening')
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function send(env: Record<string, string>) {
  const child = spawn(process.execPath, [program], { env: { PATH: process.env.PATH, ...env } })
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  child.stdin.end(JSON.stringify(spans))
  const [code] = await once(child, 'close')
  return { code, stderr }
}

describe('a trace', () => {
  it('arrives at the base, with the headers and the resource that the variables name', async () => {
    const { got, url } = await receiver()
    const sent = await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: `${url}/base/`,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20s3cret,x-scope=a',
      OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,team=web',
    })
    expect(sent).toEqual({ code: 0, stderr: '' })
    expect(got).toHaveLength(1)
    expect(got[0]).toMatchObject({
      url: '/base/v1/traces',
      headers: { authorization: 'Bearer s3cret', 'x-scope': 'a', 'content-type': 'application/json' },
      body: { resourceSpans: [{ scopeSpans: [{ scope: { name: 'shipit-murder' }, spans }] }] },
    })
    expect(JSON.stringify(got[0]?.body)).toContain('{"key":"service.name","value":{"stringValue":"other"}}')
  })

  it('goes through the proxy, and is sent again while the receiver is busy', async () => {
    const { got, url } = await receiver(503, 200)
    const sent = await send({
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector.invalid/here',
      HTTP_PROXY: url,
    })
    expect(sent).toEqual({ code: 0, stderr: '' })
    expect(got.map(({ url: asked }) => asked)).toEqual(Array(2).fill('http://collector.invalid/here'))
  })

  it.each([
    ['a receiver that refuses', 'status 401', {}],
    [
      'headers that are none',
      'OTEL_EXPORTER_OTLP_HEADERS is not a list',
      { OTEL_EXPORTER_OTLP_HEADERS: 's3cret' },
    ],
    [
      'a protocol that is not spoken',
      'OTEL_EXPORTER_OTLP_PROTOCOL is grpc',
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
    ],
    [
      'a base that is no URL',
      'OTEL_EXPORTER_OTLP_ENDPOINT is no URL',
      { OTEL_EXPORTER_OTLP_ENDPOINT: 's3cret:4317' },
    ],
  ])('%s: one line without secrets', async (_, line, env) => {
    const { url } = await receiver(401)
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=s3cret' }
    const { code, stderr } = await send({ OTEL_EXPORTER_OTLP_ENDPOINT: url, ...headers, ...env })
    expect(code).toBe(1)
    expect(stderr).toContain(line)
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).not.toContain('s3cret')
  })

  it('is not sent where OpenTelemetry is off', async () => {
    const { got, url } = await receiver()
    expect(await send({ OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SDK_DISABLED: 'true' })).toMatchObject({
      code: 0,
    })
    expect(got).toEqual([])
  })
})
