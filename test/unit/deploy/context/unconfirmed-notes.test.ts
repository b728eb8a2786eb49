import { expect, test } from 'vitest'
import { unconfirmedNotes } from '../../../../src/deploy/context/unconfirmed-notes.ts'

test('a line for each release, and one more where nobody takes it back', () => {
  const waits = { release: '1', by: 'ann@desk since 3 o’clock', isLost: false }
  const found = [
    waits,
    { ...waits, by: 'ann@desk since a moment later' },
    { ...waits, isLost: true },
    { ...waits, release: '2' },
  ]
  const notes = unconfirmedNotes(new Map(found.map((each, at) => [{ label: `web${at}` }, each])))
  expect(notes.map(({ text }) => text)).toEqual([
    'web0, web1: 1 of ann@desk since 3 o’clock was not confirmed; a guard takes it back once this run is over, unless this run publishes',
    'web2: 1 of ann@desk since 3 o’clock was not confirmed; its guard has ended, with the machine perhaps, and nobody takes it back',
    'web3: 2 of ann@desk since 3 o’clock was not confirmed; a guard takes it back once this run is over, unless this run publishes',
  ])
  expect(notes[0]).toMatchObject({ servers: ['web0', 'web1'], release: '1', isLost: false })
})
