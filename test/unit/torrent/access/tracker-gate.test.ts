import { expect, test } from 'vitest'
import { newSecret, trackerPath, withSecret } from '../../../../src/torrent/access/secret.ts'
import { admit, type Permit } from '../../../../src/torrent/access/tracker-gate.ts'

const secret = newSecret()
const [infoHash, other] = ['ab'.repeat(20), 'cd'.repeat(20)]
const query = (hash: string) => `info_hash=${hash.replace(/../g, '%$&')}&port=6881`
const permit: Permit = {
  secret,
  infoHash,
  addresses: ['10.0.0.0/8', '192.0.2.7', 'fd00::/16', 'rubbish', '1.2.3.4/99'],
}
const at = (path: string) => `/${path}/announce?${query(infoHash)}`

test('answers a request with the secret, for its torrent, from its addresses', () => {
  for (const from of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', 'fd00::5', 'fd00::5%eth0'])
    expect(admit([permit], at(trackerPath(secret)), from)).toEqual({ url: `/announce?${query(infoHash)}` })
})

test('answers no other request', () => {
  for (const path of [trackerPath(newSecret()), 'x', '', secret, `${trackerPath(secret)}/x`, '{secret}'])
    expect(admit([permit], at(path), '10.1.2.3')).toEqual({})
  for (const url of [
    `/announce?${query(infoHash)}`,
    '/stats',
    '/scrape',
    '',
    '*',
    `/${trackerPath(secret)}/scrape?x`,
  ])
    expect(admit([permit], url, '10.1.2.3')).toEqual({})
  expect(admit([], at(trackerPath(secret)), '10.1.2.3')).toEqual({})
})

test('tells a caller that knows the secret what is wrong', () => {
  const path = trackerPath(secret)
  expect(admit([permit], `/${path}/announce?${query(other)}`, '10.1.2.3')).toMatchObject({
    refusal: expect.stringContaining('torrent'),
  })
  for (const from of ['11.0.0.1', '192.0.2.8', '', 'fd01::1', '1.2.3.4'])
    expect(admit([permit], at(path), from)).toHaveProperty('refusal')
  const twice = `/${path}/announce?${query(infoHash)}&${query(other)}`
  expect(admit([permit], twice, '10.1.2.3')).toHaveProperty('refusal')
})

test('lets nobody have others told an address outside of the fleet', () => {
  const telling = (told: string) => admit([permit], at(trackerPath(secret)), '10.1.2.3', told)
  for (const told of ['10.9.9.9', '::ffff:10.1.2.3', 'fd00::5']) expect(telling(told)).toHaveProperty('url')
  for (const told of ['11.0.0.1', '::ffff:11.0.0.1', 'fd01::1', 'example.com'])
    expect(telling(told)).toHaveProperty('refusal')
  const open = admit([{ infoHash }], `/announce?${query(infoHash)}`, '8.8.8.8', '11.0.0.1')
  expect(open).toHaveProperty('url')
})

test('keeps the torrents of several permits apart', () => {
  const second: Permit = { secret: newSecret(), infoHash: other }
  const ask = (one: Permit, hash: string) =>
    admit([permit, second], `/${trackerPath(one.secret ?? '')}/announce?${query(hash)}`, '10.0.0.1')
  expect(ask(permit, infoHash)).toHaveProperty('url')
  expect(ask(second, other)).toHaveProperty('url')
  expect(ask(permit, other)).toHaveProperty('refusal')
  expect(ask(second, infoHash)).toHaveProperty('refusal')
})

test('a permit without a secret covers every request for its torrent', () => {
  const open: Permit = { infoHash }
  expect(
    admit([open, { secret, infoHash: other }], `/announce?${query(infoHash)}`, '8.8.8.8'),
  ).toHaveProperty('url')
  expect(admit([open], `/announce?${query(other)}`, '8.8.8.8')).toHaveProperty('refusal')
})

test('only a URL with the placeholder gets the key', () => {
  expect(withSecret('http://a:1/{secret}/announce', secret)).toBe(
    `http://a:1/${trackerPath(secret)}/announce`,
  )
  expect(withSecret('http://elsewhere/announce', secret)).toBe('http://elsewhere/announce')
  expect(withSecret('http://a:1/{secret}/announce', undefined)).toContain('{secret}')
})
