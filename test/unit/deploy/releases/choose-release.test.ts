import { expect, test } from 'vitest'
import { liveRelease, releaseBefore } from '../../../../src/deploy/releases/choose-release.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const fleet = (...servers: [live: string | undefined, ...releases: string[]][]) =>
  new Map(
    servers.map(([live, ...releases], index) => [
      { label: String(index) } as Server,
      { live, releases: releases.sort().reverse() },
    ]),
  )

test('most servers decide what is live', () => {
  expect(liveRelease(fleet(['2', '1', '2'], ['2', '1', '2'], ['1', '1']))).toBe('2')
  expect(liveRelease(fleet([undefined], [undefined], ['3', '3']))).toBe('3')
  expect(liveRelease(fleet([undefined]))).toBeUndefined()
})

test.each([
  ['all alike', fleet(['3', '1', '2', '3'], ['3', '1', '2', '3']), '2'],
  ['one is new', fleet(['3', '1', '2', '3'], ['3', '2', '3'], ['3', '3']), '2'],
  ['one missed the last deploy', fleet(['3', '1', '2', '3'], ['3', '2', '3'], ['2', '1', '2']), '2'],
  ['one has a release that the others lack', fleet(['4', '2', '4'], ['4', '2', '4'], ['4', '3', '4']), '2'],
  ['no two have the same', fleet(['4', '1', '4'], ['4', '2', '4'], ['4', '4']), '2'],
])('the release to go back to: %s', (_, servers, before) => {
  expect(releaseBefore(servers).before).toBe(before)
})

test('there may be nothing to go back to', () => {
  expect(() => releaseBefore(fleet(['1', '1', '2']))).toThrow('Cannot rollback, release not found')
  expect(() => releaseBefore(fleet([undefined, '1']))).toThrow('Cannot find current release dirname')
})
