import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import { HttpProxyAgent } from 'http-proxy-agent'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { getProxyForUrl } from 'proxy-from-env'

export interface Post {
  url: URL
  body: Buffer
  headers?: Record<string, string>
  /** Certificates in PEM. */
  tls?: { ca?: Buffer; cert?: Buffer; key?: Buffer }
  signal: AbortSignal
  /** The message of the error when `signal` ends it. */
  late: string
}

/**
 * Posts JSON through the proxy that HTTP_PROXY and the like name. Returns the status of the answer. Throws an Error with one line
 * that names only scheme and host, because the rest may be secret.
 */
export function post({ url, body, headers, tls, signal, late }: Post): Promise<number> {
  const proxy = getProxyForUrl(url.href)
  const isTls = url.protocol === 'https:'
  const agent = proxy && (isTls ? new HttpsProxyAgent(proxy) : new HttpProxyAgent(proxy))
  return new Promise((resolve, reject) => {
    const sent = (isTls ? tlsRequest : plainRequest)(url, {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json', 'content-length': body.length },
      signal,
      ...tls,
      ...(agent ? { agent } : {}),
    })
    sent.on('error', (error) => {
      reject(new Error(`${placeOf(url)}: ${signal.aborted ? late : error.message}`))
    })
    sent.on('response', (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0))
      response.on('error', reject)
    })
    sent.end(body)
  })
}

/** `https://host`, which is no secret. */
export const placeOf = ({ protocol, host }: URL): string => `${protocol}//${host}`
