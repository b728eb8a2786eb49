import { timingSafeEqual } from 'node:crypto'

/** The relevant parts of a request. */
export type PagePart = 'document' | 'script' | 'style' | 'events'

/** Below the page's own path. */
const PARTS: Record<string, PagePart> = {
  '': 'document',
  '/page.js': 'script',
  '/page.css': 'style',
  '/events': 'events',
}

export interface PageRequest {
  method?: string | undefined
  host?: string | undefined
  url?: string | undefined
}

/** A page of another site reaches this server by a name of its own (DNS rebinding): these are names that nobody else can have. */
const isLoopbackHost = (host: string): boolean => /^(127\.0\.0\.1|localhost)(:\d{1,5})?$/i.test(host)

/**
 * The part of the page at `path` that a request may have, or the status that refuses it. `isOwnHost` judges the Host header; any
 * port is right, because people come through tunnels.
 */
export function partOf(
  { method, host, url }: PageRequest,
  path: string,
  isOwnHost = isLoopbackHost,
): PagePart | 403 | 404 | 405 {
  if (!isOwnHost(host ?? '')) return 403
  if (method !== 'GET') return 405
  return partAt(url, path) ?? 404
}

/** The part of the page at `path` that a URL names. In a time that tells nothing of the path. */
export function partAt(url: string | undefined, path: string): PagePart | undefined {
  const [asked = ''] = /^[^?#]*/.exec(url ?? '') ?? []
  const rest = asked.slice(path.length)
  return isSame(asked.slice(0, path.length), path) && Object.hasOwn(PARTS, rest) ? PARTS[rest] : undefined
}

function isSame(one: string, other: string): boolean {
  const [first, second] = [Buffer.from(one), Buffer.from(other)]
  return first.length === second.length && timingSafeEqual(first, second)
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
