import { expect, test } from 'vitest'
import { addressBetween } from '../../../../src/deploy/reach/address-between.ts'
import type { Server } from '../../../../src/fleet/ssh/server.ts'

const server = { user: 'deploy', host: 'a.example.com', port: 2201 } as Server
const facts = {
  serverAddress: '10.0.0.5',
  serverPort: 22,
  addresses: ['10.0.0.5', '192.168.0.5', '127.0.0.1'],
}

test('what a server knows of itself, not the name that the deploy host has for it', () => {
  expect(addressBetween([], server, facts)).toEqual({ hosts: ['10.0.0.5', '192.168.0.5'], port: 22 })
})

test('the setting comes first, in whatever way it names the server', () => {
  for (const name of ['a.example.com', 'deploy@a.example.com', 'deploy@a.example.com:2201']) {
    const address = { server: name, address: 'root@10.1.1.1:2222' }
    expect(addressBetween([address], server, facts)).toEqual({
      hosts: ['10.1.1.1'],
      port: 2222,
      user: 'root',
    })
  }
  const bare = { server: 'a.example.com', address: '[fd00::1]' }
  expect(addressBetween([bare], server, facts)).toEqual({ hosts: ['fd00::1'], port: 22 })
})

test('its own name where nothing is known', () => {
  expect(addressBetween([], server, undefined)).toEqual({ hosts: ['a.example.com'], port: 2201 })
})
