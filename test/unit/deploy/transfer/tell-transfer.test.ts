import { expect, test } from 'vitest'
import { getsText, travelsText } from '../../../../src/deploy/transfer/tell-transfer.ts'

const whole = { length: 6 << 20, compression: 'zstd' } as const
const delta = {
  length: 1500,
  compression: 'none',
  base: { id: 'a', becomes: 'b', unchanged: false },
} as const
const same = { length: 60, compression: 'none', base: { id: 'b', becomes: 'b', unchanged: true } } as const

test('what would go is what each server gets, the largest first', () => {
  expect(travelsText([delta, whole, delta], 'here')).toBe(
    '6.0 MiB (zstd) would go from here to 1 server, 1.5 KiB (a delta) to 2 servers',
  )
  expect(travelsText([delta, same], 'here')).toBe(
    '1.5 KiB (a delta) would go from here to 1 server, nothing to 1 server, which has the same',
  )
  expect(travelsText([same, same], 'here')).toBe('nothing would go to 2 servers, which have the same')
  expect([whole, delta, same].map((each) => getsText(each))).toEqual([
    'the package',
    'a delta of 1.5 KiB',
    'nothing: it is the same',
  ])
  expect(getsText(same, (id) => id === 'b')).toBe('nothing: it is staged')
})
