import { expect, test, vi } from 'vitest'
import { unpackArriving } from '../../../../src/agent/receive/unpack-arriving.ts'
import { MurderError } from '../../../../src/errors.ts'

const damaged = new MurderError('PACKAGE_DAMAGED', 'the package is damaged')

test('what seems damaged while it arrives is unpacked once more when it is whole', async () => {
  const unpack = vi.fn(async (isArriving: boolean) => {
    if (isArriving) throw damaged
    return 'made'
  })
  const wait = vi.fn(async () => true)
  expect(await unpackArriving(unpack, wait)).toBe('made')
  expect(unpack.mock.calls).toEqual([[true], [false]])
  expect(wait.mock.calls).toEqual([[damaged]])
})

test.each<[string, Error, boolean]>([
  ['it is never whole', damaged, false],
  ['it fails for another reason', new MurderError('DISK_FULL', 'the disk is full'), true],
])('but not when %s', async (_, error, isWhole) => {
  const unpack = vi.fn(async () => Promise.reject(error))
  await expect(unpackArriving(unpack, async () => isWhole)).rejects.toBe(error)
  expect(unpack).toHaveBeenCalledTimes(1)
})

test('and what is damaged then, too, fails', async () => {
  const unpack = vi.fn(async () => Promise.reject(damaged))
  await expect(unpackArriving(unpack, async () => true)).rejects.toBe(damaged)
  expect(unpack).toHaveBeenCalledTimes(2)
})
