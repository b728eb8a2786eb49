import { expect, test } from 'vitest'
import { sharedFailures } from '../../../../src/page/model/failures.ts'
import type { ServerPicture } from '../../../../src/page/model/picture.ts'

test('servers that failed in the same way share one failure, the most frequent first', () => {
  const server = (name: string, cause?: string): ServerPicture => ({
    server: name,
    lane: cause === undefined ? 'live' : 'failed',
    spans: [],
    bytes: 0,
    rate: 0,
    from: [],
    ...(cause === undefined ? {} : { failure: { step: 'transfer', cause, cure: 'look there' } }),
  })
  const servers = [server('a', 'disk full'), server('b', 'no answer'), server('c'), server('d', 'no answer')]
  expect(sharedFailures(servers)).toEqual([
    { servers: ['b', 'd'], step: 'transfer', cause: 'no answer', cure: 'look there' },
    { servers: ['a'], step: 'transfer', cause: 'disk full', cure: 'look there' },
  ])
})
