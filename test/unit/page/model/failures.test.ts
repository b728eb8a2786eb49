import { expect, test } from 'vitest'
import { sharedFailures } from '../../../../src/page/model/failures.ts'
import type { ServerPicture } from '../../../../src/page/model/picture.ts'

const server = (name: string, cause?: string): ServerPicture => ({
  server: name,
  lane: cause === undefined ? 'live' : 'failed',
  spans: [],
  bytes: 0,
  rate: 0,
  from: [],
  ...(cause === undefined ? {} : { failure: { step: 'transfer', cause, cure: 'look there' } }),
})

test('servers that failed in the same way share one failure, the most frequent first', () => {
  const servers = [server('a', 'disk full'), server('b', 'no answer'), server('c'), server('d', 'no answer')]
  expect(sharedFailures(servers)).toEqual([
    { servers: ['b', 'd'], step: 'transfer', cause: 'no answer', cure: 'look there', namesFirst: false },
    { servers: ['a'], step: 'transfer', cause: 'disk full', cure: 'look there', namesFirst: false },
  ])
})

test('texts that differ in the name of the server alone are the same', () => {
  const names = ['deploy@web1:2222', 'deploy@web2:2200', 'deploy@[fd00::7]:22', 'fd00::8']
  const refused = names.map((name) => server(name, `${name} refused the login`))
  expect(sharedFailures(refused)).toMatchObject([{ servers: names, namesFirst: true }])
})
