import { expect, test } from 'vitest'
import { whoIsWhere } from '../../../../src/deploy/doctor/sites.ts'

type Input = Parameters<typeof whoIsWhere>[0]

const context = (sites: { name: string; servers: string[]; limit: number }[]) =>
  ({
    settings: { sites },
    fleet: { servers: ['a', 'b', 'c'].map((host) => ({ label: host, user: 'me', host, port: 22 })) },
  }) as unknown as Input

test('one line says who is where', () => {
  const sites = [
    { name: 'paris', servers: ['local', 'a'], limit: 0 },
    { name: 'tokyo', servers: ['c'], limit: 10 * 1024 ** 2 },
  ]
  expect(whoIsWhere(context(sites))).toEqual([
    'sites: paris: the deploy host, a; tokyo (10.0 MiB/s): c; without a name: b',
  ])
})

test('nothing is said where no sites are named', () => expect(whoIsWhere(context([]))).toEqual([]))
