import { expect, test } from 'vitest'
import { otherClientsNotes } from '../../../../src/torrent/metainfo/other-clients.ts'

const file = (path: string, length = 1) => ({ path: path.split('/'), length })

test('one line for each kind of file that other clients rename or leave out', () => {
  const notes = otherClientsNotes('data', [
    file('a\\b'),
    file('deep\\er/c'),
    file('dots../x'),
    file('blank '),
    file('ü'.repeat(121)),
    file('sub/empty', 0),
    file('.hidden'),
    file('x'.repeat(240)),
  ])
  expect(notes).toEqual([
    '"a\\\\b", and so 1 more: a backslash in its name, and some other clients rename it or make a directory of it',
    '"dots../x", and so 1 more: a name that ends with a dot or a space, or begins with a space, and some other clients leave that out or refuse it',
    expect.stringMatching(/^"ü+": a name of more than 240 bytes, and some other clients cut it$/),
    '"sub/empty": no content, and some other clients make no file of it',
  ])
})

test('nothing is said where all is well, and of a single file its own name', () => {
  expect(otherClientsNotes('data', [file('a/b.c')])).toEqual([])
  expect(otherClientsNotes('film.', [{ path: ['film.'], length: 1 }])).toEqual([
    expect.stringContaining('"film."'),
  ])
})
