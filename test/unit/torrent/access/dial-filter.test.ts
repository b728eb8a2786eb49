import { expect, test } from 'vitest'
import { dialFilter } from '../../../../src/torrent/access/dial-filter.ts'

test('lets pass the fleet and what was named, once the fleet is known', () => {
  let hosts: string[] | undefined
  const mayDial = dialFilter(() => hosts, ['192.0.2.1:6881'])
  expect(mayDial('203.0.113.1:25', '10.0.0.1')).toBe(true)
  hosts = ['10.0.0.0/8', 'fd00::1']
  for (const address of ['10.1.2.3:6881', '[fd00::1]:9', '192.0.2.1:80'])
    expect(mayDial(address, '10.0.0.1')).toBe(true)
  for (const address of ['203.0.113.1:25', '[fd00::2]:9', 'example.com:80', 'rubbish'])
    expect(mayDial(address, '10.0.0.1')).toBe(false)
})

test('lets pass addresses of this machine only from it', () => {
  const mayDial = dialFilter(() => ['127.0.0.0/8'])
  expect(mayDial('127.0.0.1:22', '10.0.0.1')).toBe(false)
  expect(mayDial('127.0.0.1:6881', '127.0.0.1')).toBe(true)
})
