import type { Server } from 'node:http'
import bencode from 'bencode'
import { decodeUntrusted } from '../encoding/bencode.ts'
import { amend } from './answers.ts'

/** Length of an infohash and of a peer id. */
const ID_BYTES = 20

interface Answer {
  /** In a scrape, by infohash. */
  files?: Record<string, { [key: string]: number }>
  /** In an announce: a list, or compact. */
  peers?: { 'peer id': Uint8Array }[] | Uint8Array
}

/**
 * Makes the tracker answer with correct infohashes and peer ids. The module treats their bytes as text, and writes two bytes for
 * each from 0x80 on. So other clients would not find their torrent in a scrape, nor recognize a peer by its id.
 */
export function keepBinary(http: Server): void {
  http.prependListener('request', (_request, response) => amend(response, withBinary))
}

/**
 * Corrects the module's answer to a scrape (BEP 48), or to an announce that is not compact (BEP 3). Other answers stay as they
 * are.
 */
export function withBinary(body: Uint8Array): Uint8Array {
  let answer: Answer
  try {
    answer = decodeUntrusted(body) as Answer
  } catch {
    return body // a page
  }
  const { files, peers } = answer
  if (files !== undefined) return scraped(files, answer)
  if (!Array.isArray(peers)) return body
  for (const peer of peers) peer['peer id'] = bytesOf(peer['peer id'])
  return bencode.encode(answer as never)
}

function bytesOf(id: Uint8Array): Uint8Array {
  return id.length === ID_BYTES ? id : Buffer.from(Buffer.from(id).toString(), 'latin1')
}

/** By hand, because bencode has text for keys. The order stays right: as text it is that of the bytes. */
function scraped(files: NonNullable<Answer['files']>, answer: Answer): Uint8Array {
  const torrents = Object.entries(files).flatMap(([infoHash, counts]) => [
    Buffer.from(`${ID_BYTES}:${infoHash}`, 'latin1'),
    bencode.encode(counts),
  ])
  const others = bencode.encode({ ...answer, files: undefined } as never).subarray(1)
  return Buffer.concat([Buffer.from('d5:filesd'), ...torrents, Buffer.from('e'), others])
}
