import { describe, expect, test } from 'vitest'
import { readRoute } from '../../../../../src/fleet/ssh/connection/route.ts'

const two = async () => 2

describe('the route that ssh -G tells of', () => {
  test.each([
    ['hostname web1\nconnectionattempts 1\n', { turns: 2 }],
    ['hostname web1\nconnectionattempts 3\n', { turns: 6 }],
    ['hostname web1\nconnectionattempts 1\nproxyjump none\n', { turns: 2 }],
    ['hostname web1\nproxyjump me@b:2200,c\n', { turns: 1, through: 'its bastion me@b:2200' }],
    ['hostname web1\nproxyjump me@[10.0.0.4]:22\n', { turns: 1, through: 'its bastion me@10.0.0.4:22' }],
    ['hostname web1\nproxyjump me@[fd00::4]:22\n', { turns: 1, through: 'its bastion me@[fd00::4]:22' }],
    ['hostname web1\nproxycommand nc %h %p\n', { turns: 1, through: 'a ProxyCommand' }],
    ['', { turns: 1 }],
  ])('%j', async (answer, route) => {
    expect(await readRoute(answer, two)).toEqual(route)
  })

  test('a name that cannot be resolved is one address: ssh says what is wrong', async () => {
    expect(await readRoute('hostname web1\n', async () => 0)).toEqual({ turns: 1 })
  })
})
