import { describe, expect, test } from 'vitest'
import { type Ending, failuresWithSites } from '../../../../src/deploy/peers/cut-off-sites.ts'

const stalled = (server: string) => ({
  server,
  step: 'transfer',
  cause: 'nothing moved for 20 s',
  cure: 'raise it',
})

/** A picture: site and name of each server, then `x` for one that has all, `-` for one that is not heard of, `!` for another failure. */
const endings = (...lines: string[]): Ending[] =>
  lines.map((line) => {
    const [site, server, end] = line.split(' ') as [string, string, string]
    const failure = end === 'x' ? undefined : stalled(server)
    return { site: site === '.' ? undefined : site, failure, isUnheard: end === '-' }
  })

const causes = (...lines: string[]) => failuresWithSites(endings(...lines)).map(({ cause }) => cause)
const cutOff = (site: string) => `${site} is cut off: nothing was heard of any server there any more`
const own = 'nothing moved for 20 s'

describe('the failures of a transfer', () => {
  test('name the site of which nothing was heard any more', () => {
    const failures = failuresWithSites(endings('paris a x', 'tokyo b -', 'tokyo c -', 'rome d !'))
    expect(failures).toEqual([
      {
        server: 'b',
        step: 'transfer',
        cause: cutOff('tokyo'),
        cure: 'check the line to tokyo, or raise murder.timeouts.stall',
      },
      expect.objectContaining({ server: 'c', cause: cutOff('tokyo') }),
      stalled('d'),
    ])
  })

  test.each<[string, string[], string[]]>([
    ['one of its servers has all', ['paris a x', 'tokyo b -', 'tokyo c x'], [own]],
    [
      'one of its servers failed for a reason of its own',
      ['paris a x', 'tokyo b -', 'tokyo c !'],
      [own, own],
    ],
    ['it has one server', ['paris a x', 'tokyo b -'], [own]],
    ['its servers have no site', ['paris a x', '. b -', '. c -'], [own, own]],
    ['nobody has all: it may be the deploy host', ['paris a -', 'paris b -', 'tokyo c -'], [own, own, own]],
  ])('do not when %s', (_, lines, expected) => {
    expect(causes(...lines)).toEqual(expected)
  })

  test('can name two sites', () => {
    expect(causes('paris a x', 'tokyo b -', 'rome c -', 'tokyo d -', 'rome e -')).toEqual(
      ['tokyo', 'rome', 'tokyo', 'rome'].map(cutOff),
    )
  })
})
