import { expect, test } from 'vitest'
import { pageHeaders, partOf } from '../../../../src/page/serve/guard.ts'

const path = '/TOKEN-TOKEN'
const ask = (url: string, host: string | undefined = '127.0.0.1:8080', method = 'GET') =>
  partOf({ url, host, method }, path)

test.each([
  ['/TOKEN-TOKEN', 'document'],
  ['/TOKEN-TOKEN?again', 'document'],
  ['/TOKEN-TOKEN/page.js', 'script'],
  ['/TOKEN-TOKEN/page.css', 'style'],
  ['/TOKEN-TOKEN/events', 'events'],
  ['/', 404],
  ['/TOKEN-TOKEX', 404],
  ['/TOKEN-TOKEN/', 404],
  ['/TOKEN-TOKEN/constructor', 404],
  ['/TOKEN-TOKEN/../../etc/passwd', 404],
  ['http://127.0.0.1/TOKEN-TOKEN', 404],
  ['/%54OKEN-TOKEN', 404],
])('%s is %s', (url, part) => expect(ask(url)).toBe(part))

test.each(['127.0.0.1', 'localhost:1', 'LOCALHOST:65535'])('host %s may ask', (host) => {
  expect(ask('/TOKEN-TOKEN', host)).toBe('document')
})

test.each([
  '',
  'evil.example.com',
  '127.0.0.1.evil.example.com',
  'evil@127.0.0.1',
  '127.0.0.1:80:80',
  '127.0.0.2',
])('host %j is refused, with the right path, too', (host) => expect(ask('/TOKEN-TOKEN', host)).toBe(403))

test('a request without a host is refused', () => {
  expect(partOf({ url: '/TOKEN-TOKEN', host: undefined, method: 'GET' }, path)).toBe(403)
})

test.each(['POST', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'get'])('%s is refused', (method) => {
  expect(ask('/TOKEN-TOKEN', '127.0.0.1', method)).toBe(405)
})

test('the page may run no inline script, and ask nobody but this server', () => {
  const policy = pageHeaders['Content-Security-Policy'] ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).not.toContain('unsafe')
})
