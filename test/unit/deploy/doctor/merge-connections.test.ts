import { expect, test } from 'vitest'
import type { Problem } from '../../../../src/deploy/doctor/problem.ts'
import { groupProblems, problemTable } from '../../../../src/deploy/doctor/problem-table.ts'
import { unreachable } from '../../../../src/deploy/doctor/unreachable.ts'

const names = (count: number) => Array.from({ length: count }, (_, index) => `s${index}`)
const closed = (from: string, to: string) =>
  unreachable({ from, to, port: 'peer', number: 6881, word: 'silent' }, false)
const said = (problems: Problem[]) =>
  groupProblems(problems).map(({ servers, cause }) => [servers.join(), cause])

test('servers that do not reach each other are one row', () => {
  const fleet = names(4)
  const all = fleet.flatMap((from) => fleet.filter((to) => to !== from).map((to) => closed(from, to)))
  expect(said(all)).toEqual([['s0,s1,s2,s3', 'do not reach each other on port 6881: nothing answers']])
  expect(said(all.slice(1)).length).toBeGreaterThan(1)
})

test('… also in a fleet so large that each server tries only some', () => {
  const fleet = names(40)
  const all = fleet.flatMap((from, at) =>
    names(12).map((_, step) => closed(from, fleet[(at + 1 + step) % fleet.length] ?? '')),
  )
  expect(said(all)).toHaveLength(1)
  expect(problemTable(groupProblems(all), 80).split('\n').length).toBeLessThan(12)
})

test('one that nobody reaches, and one that reaches nobody, are a row each', () => {
  const fleet = names(8)
  expect(said(fleet.slice(1).map((from) => closed(from, 's0')))).toEqual([
    ['s1,s2,s3,s4,s5,s6,s7', 'do not reach port 6881 of s0: nothing answers'],
  ])
  expect(said(fleet.slice(1).map((to) => closed('s0', to)))).toEqual([
    ['s0', 'does not reach port 6881 of s1, s2, s3, s4 and 3 more: nothing answers'],
  ])
})

test('rows have a limit, and other problems of several servers are one row, too', () => {
  const fleet = names(30)
  const pairs = fleet.flatMap((from, at) => [closed(from, `x${at}`), closed(from, `y${at % 7}`)])
  expect(said(pairs)).toHaveLength(6)
  expect(said(pairs).at(-1)?.[1]).toMatch(/; and so for \d+ more groups of servers$/)
  const limits = fleet.map((server) => ({ server, check: 'limits', cause: 'few files', cure: 'raise it' }))
  expect(said(limits)).toEqual([[fleet.join(), 'few files']])
})
