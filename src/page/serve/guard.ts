import { timingSafeEqual } from 'node:crypto'

/** The relevant parts of a request. */
export type PagePart = 'document' | 'script' | 'style' | 'events'

/** Below the unguessable path. */
const PARTS: Record<string, PagePart> = {
  '': 'document',
  '/page.js': 'script',
  '/page.css': 'style',
  '/events': 'events',
}

export interface PageRequest {
  method: string | undefined
  host: string | undefined
  url: string | undefined
}

/**
 * The part of the page that a request may have, or the status that refuses it. Another site's page could reach this server by a
 * name of its own (DNS rebinding), so the host must be a name of this machine. Any port is accepted, because people use tunnels.
 */
export function partOf({ method, host, url }: PageRequest, token: string): PagePart | 403 | 404 | 405 {
  if (!/^(127\.0\.0\.1|localhost)(:\d{1,5})?$/i.test(host ?? '')) return 403
  if (method !== 'GET') return 405
  const [, given = '', rest = ''] = /^\/([^/?#]*)(\/[^?#]*)?(?:\?.*)?$/.exec(url ?? '') ?? []
  if (!isSame(given, token)) return 404
  return Object.hasOwn(PARTS, rest) ? (PARTS[rest] ?? 404) : 404
}

function isSame(given: string, token: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(token)]
  return one.length === other.length && timingSafeEqual(one, other)
}

/** The live page has no inline script or style, loads only from this server, and must not be framed. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

export const pageHeaders: Readonly<Record<string, string>> = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cache-Control': 'no-store',
}
