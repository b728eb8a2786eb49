import { expect, test } from 'vitest'
import { unreadable, unwritable } from '../../../src/files/file-errors.ts'

const failed = (code: string) => Object.assign(new Error(code), { code, syscall: 'open' })

test.each([
  ['EMFILE', 'too many open files', /ulimit -n/],
  ['ENFILE', 'too many open files on this machine', /fs\.file-max/],
  ['EIO', 'input/output error of the disk', /log/],
])('a failure of the machine (%s) does not send people after permissions', (code, why, cure) => {
  expect(unwritable('/srv/a', failed(code))).toMatchObject({
    message: `cannot write /srv/a: ${why}`,
    cure: expect.stringMatching(cure),
  })
  expect(unreadable('a', failed(code))).toMatchObject({
    message: `cannot read a: ${why}`,
    cure: expect.stringMatching(cure),
  })
})

test('what a user may not write or read has that as its cure', () => {
  expect(unwritable('/srv/a', failed('EACCES'))).toMatchObject({
    cure: 'check that this user may write there',
  })
  expect(unreadable('a', failed('EACCES'))).toMatchObject({ cure: expect.stringMatching(/read access/) })
})
