import { expect, test } from 'vitest'
import { fittedTable } from '../../../src/text/fitted-table.ts'
import { nameSome, shorten } from '../../../src/text/format.ts'

const columns = [{ nameAtLeast: 8 }, {}, { dispensable: 1 }, { dispensable: 2 }]
const rows = [
  ['server', 'state', 'rate', 'retries'],
  ['deploy@long-name.example.com', 'done', '1.0 MiB/s', '0'],
  ['deploy@b', 'failed', '', '12'],
]

test.each([
  [80, 'deploy@long-name.example.com  done    1.0 MiB/s  0'],
  [40, 'deploy…e.com  done    1.0 MiB/s  0'],
  [27, 'depl…com  done    1.0 MiB/s'],
  [26, 'deploy@lo…mple.com  done'],
  [16, 'depl…com  done'],
])('%d columns: names are shortened in the middle, and what matters least is left out', (width, line) => {
  const lines = fittedTable(rows, columns, width).split('\n')
  for (const each of lines) expect(each.length).toBeLessThanOrEqual(width)
  expect(lines[1]).toBe(line)
})

test('sentences are wrapped, not cut', () => {
  const text = fittedTable([['deploy@b', 'the disk is full there']], [{}, { textAtLeast: 10 }], 22)
  expect(text).toBe('deploy@b  the disk is\n          full there')
})

test('the middle of a name is what tells least', () => {
  expect([shorten('abcdefgh', 8), shorten('abcdefgh', 5), shorten('abcdefgh', 1), shorten('abc', 0)]).toEqual(
    ['abcdefgh', 'ab…gh', '…', ''],
  )
})

test('a list that would leave out only one name has it', () => {
  expect(nameSome(['a', 'b', 'c'], 2)).toBe('a, b, c')
  expect(nameSome(['a', 'b', 'c', 'd'], 2)).toBe('a, b and 2 more')
})
