import { describe, expect, it } from 'vitest'
import {
  parseBytes,
  parseHostPort,
  parsePort,
  parsePorts,
  parseSeconds,
  parseTracker,
} from '../../../../src/agent/options/units.ts'
import { announceUrl } from '../../../../src/torrent/tracker/announce-url.ts'

describe('bytes', () => {
  it.each([
    ['0', 0],
    ['500', 500],
    ['500K', 512_000],
    ['1.5M', 1_572_864],
    ['2g', 2 ** 31],
    ['10 MiB', 10_485_760],
    ['1MB/s', 1_048_576],
  ])('%s', (text, bytes) => expect(parseBytes('--limit', text)).toBe(bytes))

  it.each(['', 'K', '-1', '1e3', '5T', '1,5M', '1 2'])('not %j', (text) => {
    expect(() => parseBytes('--limit', text)).toThrow(`--limit is '${text}'`)
  })
})

describe('seconds', () => {
  it.each([
    ['0', 0],
    ['30', 30],
    ['0.5', 0.5],
    ['5m', 300],
    ['2h', 7200],
  ])('%s', (text, seconds) => expect(parseSeconds('--linger', text)).toBe(seconds))

  it.each(['', 'x', '-1', '1d', '99999999'])('not %j', (text) => {
    expect(() => parseSeconds('--linger', text)).toThrow(`--linger is '${text}'`)
  })
})

describe('ports', () => {
  it('takes a port and a range', () => {
    expect(parsePort('--port', '65535')).toBe(65_535)
    expect(parsePorts('--ports', '6881-6999')).toEqual([6881, 6999])
    expect(parsePorts('--ports', '7-7')).toEqual([7, 7])
  })

  it.each(['65536', '-1', '1.5', '', '0x10'])('not the port %j', (text) => {
    expect(() => parsePort('--port', text)).toThrow('not a port')
  })

  it.each(['5', '5-', '-5', '6-5', '1-2-3', '1-70000'])('not the range %j', (text) => {
    expect(() => parsePorts('--ports', text)).toThrow(/--ports is/)
  })
})

describe('addresses', () => {
  it.each([
    ['10.0.0.5:8998', { host: '10.0.0.5', port: 8998 }],
    ['[fd00::5]:80', { host: 'fd00::5', port: 80 }],
    ['web-1.example:1', { host: 'web-1.example', port: 1 }],
  ])('%s', (text, address) => expect(parseHostPort('--peer', text)).toEqual(address))

  it.each(['', 'host', 'host:', ':80', 'host:0', 'host:99999', 'fd00::5:80', 'a b:80', 'u@h:80'])(
    'not %j',
    (text) => {
      expect(() => parseHostPort('--peer', text)).toThrow(`--peer is '${text}'`)
    },
  )

  it('makes announce URLs', () => {
    expect(announceUrl('fd00::5', 8998)).toBe('http://[fd00::5]:8998/announce')
    expect(parseTracker('the tracker', 'deploy:8998')).toBe('http://deploy:8998/announce')
    expect(parseTracker('the tracker', 'https://t.example/x/announce')).toBe('https://t.example/x/announce')
  })

  it.each(['ftp://a/b', 'udp://a:80/announce', 'http://', 'javascript://x', 'tracker'])(
    'no tracker %j',
    (text) => {
      expect(() => parseTracker('the tracker', text)).toThrow(`the tracker is '${text}'`)
    },
  )
})
