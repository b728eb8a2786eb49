import { expect, test } from 'vitest'
import { isNear, type Whereabouts } from '../../../../src/torrent/peers/whereabouts.ts'

const unknown: Whereabouts = { ownSite: undefined, site: undefined, isInNetwork: false, isLong: false }

test.each<[string, Partial<Whereabouts>, boolean]>([
  ['names decide, whatever the way is', { ownSite: 'a', site: 'a', isLong: true }, true],
  ['other names are other sites', { ownSite: 'a', site: 'b', isInNetwork: true }, false],
  ['one name alone says nothing: the way does', { ownSite: 'a', isLong: true }, false],
  ['whoever is not certainly far is near', {}, true],
  ['a way that is certainly long leads to another site', { isLong: true }, false],
  ['nobody is far in the same network', { isInNetwork: true, isLong: true }, true],
])('%s', (_, about, expected) => expect(isNear({ ...unknown, ...about })).toBe(expected))
