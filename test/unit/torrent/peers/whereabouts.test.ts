import { expect, test } from 'vitest'
import { isNear, type Whereabouts } from '../../../../src/torrent/peers/whereabouts.ts'

const unknown: Whereabouts = {
  ownSite: undefined,
  site: undefined,
  isLoopback: false,
  isInNetwork: false,
  roundTripsS: [],
}

test.each<[string, Partial<Whereabouts>, boolean]>([
  ['names decide, whatever the way is', { ownSite: 'a', site: 'a', roundTripsS: [0.2, 0.2] }, true],
  [
    'other names are other sites',
    { ownSite: 'a', site: 'b', isInNetwork: true, roundTripsS: [0.001] },
    false,
  ],
  ['one name alone says nothing: the way does', { ownSite: 'a', roundTripsS: [0.05, 0.05] }, false],
  ['a short way is near in any network', { roundTripsS: [0.3, 0.002] }, true],
  ['a long one is far', { roundTripsS: [0.05] }, false],
  ['before it is known, the network decides', { isInNetwork: true }, true],
  ['nobody in another network is near before that', {}, false],
  ['in the same network a busy machine is still near', { isInNetwork: true, roundTripsS: [0.06, 0.2] }, true],
  [
    'a network over a long way always takes the same',
    { isInNetwork: true, roundTripsS: [0.1, 0.102] },
    false,
  ],
  ['this machine is near, however busy it is', { isLoopback: true, roundTripsS: [0.5, 0.5] }, true],
])('%s', (_, about, expected) => expect(isNear({ ...unknown, ...about })).toBe(expected))
