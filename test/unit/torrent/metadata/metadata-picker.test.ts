import { describe, expect, it } from 'vitest'
import { MetadataPicker } from '../../../../src/torrent/metadata/metadata-picker.ts'

const SEEDER = 1
const whole = { hasAll: true, isSeeder: false }
const seeder = { hasAll: true, isSeeder: true }
const fetching = { hasAll: false, isSeeder: false }

/** Takes the first of all choices. */
function pickerOf(pieces: number, neighbours: Record<number, typeof whole>): MetadataPicker {
  const picker = new MetadataPicker(pieces, () => 0)
  for (const [id, about] of Object.entries(neighbours)) picker.describe(Number(id), about)
  return picker
}

const asked = (picker: MetadataPicker, atS: number) =>
  picker.next(atS).map(({ id, piece }) => `${piece} of ${id}`)

describe('who is asked for metadata', () => {
  it.each<[string, number, Record<number, typeof whole>, string[]]>([
    ['nobody without neighbours', 4, {}, []],
    ['the seeder, for two pieces at a time', 4, { [SEEDER]: seeder }, ['0 of 1', '1 of 1']],
    ['those that have all before the seeder', 3, { 1: seeder, 2: whole }, ['0 of 2', '1 of 2', '2 of 1']],
    ['each piece of one', 1, { 1: seeder, 2: whole, 3: whole }, ['0 of 2']],
    ['one that fetches it too, for one piece', 4, { 1: seeder, 2: fetching }, ['0 of 1', '1 of 1', '2 of 2']],
    ['nobody who fetches the only piece too', 1, { 2: fetching }, []],
  ])('%s', (_, pieces, neighbours, requests) => {
    expect(asked(pickerOf(pieces, neighbours), 0)).toEqual(requests)
  })

  it('in random order', () => {
    const picker = new MetadataPicker(10, () => 0.999)
    picker.describe(1, seeder)
    expect(asked(picker, 0)).toEqual(['9 of 1', '8 of 1'])
  })

  it('not again at once who has rejected a request, and each time later', () => {
    const picker = pickerOf(1, { [SEEDER]: seeder })
    expect(asked(picker, 0)).toEqual(['0 of 1'])
    picker.rejected(SEEDER, 0, 0)
    expect([asked(picker, 0.09), asked(picker, 0.1)]).toEqual([[], ['0 of 1']])
    picker.rejected(SEEDER, 0, 0.1)
    expect([asked(picker, 0.29), asked(picker, 0.31)]).toEqual([[], ['0 of 1']])
  })

  it('not the seeder, for a second, where there are others that get it', () => {
    const picker = pickerOf(1, { [SEEDER]: seeder, 2: fetching })
    asked(picker, 0)
    picker.rejected(SEEDER, 0, 0)
    expect([asked(picker, 0.9), asked(picker, 1)]).toEqual([[], ['0 of 1']])
  })

  it('at once for what it has told of when it rejected another', () => {
    const picker = pickerOf(4, { 2: fetching })
    expect(asked(picker, 0)).toEqual(['0 of 2'])
    picker.rejected(2, 0, 0, [2, 3])
    expect(asked(picker, 0)).toEqual(['2 of 2', '3 of 2'])
  })

  it('another when no answer comes, and takes a late one', () => {
    const picker = pickerOf(1, { [SEEDER]: seeder })
    asked(picker, 0)
    picker.describe(2, whole)
    expect([asked(picker, 2.9), asked(picker, 3)]).toEqual([[], ['0 of 2']])
    expect(picker.wants(SEEDER, 0)).toBe(true)
  })

  it('another when one leaves', () => {
    const picker = pickerOf(1, { [SEEDER]: seeder })
    asked(picker, 0)
    picker.describe(2, whole)
    picker.leave(SEEDER)
    expect(asked(picker, 0)).toEqual(['0 of 2'])
  })
})

describe('what comes', () => {
  it('counts only from whom it was asked of', () => {
    const picker = pickerOf(2, { 2: whole, 3: whole })
    asked(picker, 0)
    expect([picker.wants(2, 0), picker.wants(3, 0), picker.wants(2, 7)]).toEqual([true, false, false])
  })

  it('is complete with the last piece', () => {
    const picker = pickerOf(2, { [SEEDER]: seeder })
    asked(picker, 0)
    picker.arrived(SEEDER, 0, 0)
    expect([picker.isComplete, picker.wants(SEEDER, 0)]).toEqual([false, false])
    picker.arrived(SEEDER, 1, 0)
    expect(picker.isComplete).toBe(true)
  })
})

describe('when it was wrong', () => {
  const wrong = (neighbours: Record<number, typeof whole>) => {
    const picker = pickerOf(2, neighbours)
    asked(picker, 0)
    for (const piece of [0, 1]) picker.arrived(2, piece, 0)
    expect(picker.wrong()).toBeUndefined()
    return picker
  }

  it('it comes from one alone, of those that have all', () => {
    const picker = wrong({ 2: whole, 3: whole, 4: fetching })
    expect(asked(picker, 0)).toEqual(['0 of 2', '1 of 2'])
    expect(picker.wants(3, 0)).toBe(false)
  })

  it('who has sent all of it wrong is guilty, and another one is next when that has left', () => {
    const picker = wrong({ 2: whole, 3: whole })
    asked(picker, 0)
    for (const piece of [0, 1]) picker.arrived(2, piece, 0)
    expect(picker.wrong()).toBe(2)
    picker.leave(2)
    expect(asked(picker, 0)).toEqual(['0 of 3', '1 of 3'])
  })

  it('one that brings nothing loses its turn, and all begins anew', () => {
    const picker = wrong({ 2: whole, 3: whole })
    asked(picker, 0)
    picker.arrived(2, 0, 1)
    expect(asked(picker, 2)).toEqual([])
    expect(asked(picker, 6)).toEqual(['0 of 3', '1 of 3'])
    expect(picker.wants(2, 1)).toBe(false)
  })
})
