import { describe, expect, it, test } from 'vitest'
import { isPlaceName, networkOf, Places } from '../../../../../src/torrent/tracker/sites/places.ts'

const placed = (...networks: [string, number][]) => {
  const places = new Places()
  return networks.map(([network, roundTripMs]) => places.nameOf(network, roundTripMs))
}

describe('places', () => {
  it.each<[string, [string, number][], string[]]>([
    [
      'near networks are one',
      [
        ['10.0.1.0', 0.3],
        ['192.0.2.0', 9.9],
        ['2001:db8:1:2::', 1],
      ],
      ['~1', '~1', '~1'],
    ],
    [
      'private networks tell places apart',
      [
        ['10.0.2.0', 50],
        ['10.0.3.0', 50],
        ['10.0.1.0', 1],
      ],
      ['~2', '~3', '~1'],
    ],
    [
      'public ones with one round trip are one',
      [
        ['198.51.100.0', 80],
        ['203.0.113.0', 81.9],
      ],
      ['~2', '~2'],
    ],
    [
      'and with another are not',
      [
        ['198.51.100.0', 80],
        ['203.0.113.0', 84],
        ['192.0.2.0', 80.4],
      ],
      ['~2', '~3', '~2'],
    ],
    [
      'a private and a public one are not',
      [
        ['10.0.2.0', 50],
        ['198.51.100.0', 50],
      ],
      ['~2', '~3'],
    ],
  ])('%s', (_, networks, names) => {
    expect(placed(...networks)).toEqual(names)
  })

  it('are bounded in number', () => {
    const names = placed(...Array.from({ length: 300 }, (_, at): [string, number] => [`10.1.${at}.0`, 50]))
    expect(new Set(names).size).toBe(256)
    expect(names.at(-1)).toBe('~1')
  })
})

test('networks', () => {
  expect(networkOf('10.1.2.3')).toBe('10.1.2.0')
  expect(networkOf('2001:db8:0:42:1:2:3:4')).toBe('2001:db8:0:42::')
  expect(networkOf('2001:DB8::1')).toBe('2001:db8:0:0::')
  expect(networkOf('fd00::')).toBe('fd00:0:0:0::')
  expect(networkOf('fd00:0001:2:3::4')).toBe('fd00:1:2:3::')
})

test('names of places are no names of sites', () => {
  expect(['~1', '~256', 'paris', '~x', '~12345', '1'].map(isPlaceName)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
  ])
})
