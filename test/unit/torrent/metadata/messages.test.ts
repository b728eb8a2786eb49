import { describe, expect, it } from 'vitest'
import {
  decodeMetadataMessage,
  encodeData,
  encodeReject,
  encodeRequest,
} from '../../../../src/torrent/metadata/messages.ts'

describe('messages of metadata', () => {
  it('are those of BEP 9', () => {
    expect(encodeRequest(0).toString()).toBe('d8:msg_typei0e5:piecei0ee')
    expect(encodeData(0, 34_256, Buffer.from('xxxxxxxx')).toString()).toBe(
      'd8:msg_typei1e5:piecei0e10:total_sizei34256eexxxxxxxx',
    )
    expect(encodeReject(0).toString()).toBe('d8:msg_typei2e5:piecei0ee')
  })

  it.each([
    [encodeRequest(3), { type: 'request', piece: 3 }],
    [encodeData(7, 9, Buffer.from('bytes')), { type: 'data', piece: 7, bytes: Buffer.from('bytes') }],
    [encodeReject(2), { type: 'reject', piece: 2 }],
    [encodeReject(2, Buffer.from([0x80])), { type: 'reject', piece: 2, has: new Uint8Array([0x80]) }],
  ])('are read as they were written: %#', (bytes, message) => {
    expect(decodeMetadataMessage(bytes)).toEqual(message)
  })

  it.each([
    '',
    'i1e',
    'le',
    'd8:msg_typei0e',
    'd8:msg_typei0ee',
    'd8:msg_typei0e5:piecei-1ee',
    'd8:msg_typei0e5:piece1:xe',
    'd8:msg_typei3e5:piecei0ee',
  ])('nothing is read from %j', (text) => {
    expect(decodeMetadataMessage(Buffer.from(text))).toBeUndefined()
  })
})
