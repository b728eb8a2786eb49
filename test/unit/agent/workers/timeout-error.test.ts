import { describe, expect, it } from 'vitest'
import { type ContentJob, decodeTorrent } from '../../../../src/agent/runs/job.ts'
import { timeoutError } from '../../../../src/agent/workers/timeout-error.ts'
import { encodeMetainfo } from '../../../../src/torrent/metainfo/metainfo.ts'

const fields = { name: 'data', pieceLength: 16_384, pieces: new Uint8Array(20), content: 100, trackers: [] }
const job: ContentJob = {
  role: 'peer',
  tag: 'a',
  torrent: decodeTorrent(encodeMetainfo(fields)),
  path: '/data',
  trackers: ['http://10.0.0.1:8998/announce'],
  peers: ['10.0.0.1:6881'],
  ports: [0, 0],
  linger: 30,
  uploadLimit: 0,
  downloadLimit: 0,
  limitOfEach: 0,
  attributes: true,
  ownerOnly: false,
  deletesOthers: false,
  timeouts: { connect: 60, stall: 120, total: 600 },
}
const at = { bytes: 43, total: 100, peers: 2, sought: 60.04 }

describe('a timeout says what was tried and what helps:', () => {
  it('connecting', () => {
    const error = timeoutError('connect', job, { ...at, peers: 0, trackerError: 'refused' })
    expect(error).toMatchObject({ code: 'NOT_CONNECTED', exitCode: 3 })
    expect(error.message).toBe(
      'connected to nobody in 60 s: tried tracker http://10.0.0.1:8998/announce, peer 10.0.0.1:6881; the tracker: refused',
    )
    expect(error.cure).toMatch(/firewall.*--address/)
  })

  it('connecting to others that have nothing either', () => {
    const { message } = timeoutError('connect', job, at)
    expect(message).toContain('nobody in 60 s who has any of it (only peers that wait, too): tried tracker')
  })

  it('connecting, for as long as a stall may last', () => {
    expect(timeoutError('connect', job, { ...at, sought: 120.2 }).message).toContain('nobody in 120 s')
  })

  it('a stall without the piece hashes', () => {
    const { message } = timeoutError('stall', job, { ...at, lacksHashes: true })
    expect(message).toContain("connected to 2, and nobody has sent the torrent's piece hashes")
  })

  it('connecting with nothing to try', () => {
    const error = timeoutError('connect', { ...job, trackers: [], peers: [] }, at)
    expect(error.message).toContain('neither a tracker nor a peer')
  })

  it('stalling', () => {
    const error = timeoutError('stall', job, at)
    expect(error).toMatchObject({ code: 'STALLED', exitCode: 3 })
    expect(error.message).toBe('no progress for 120 s at 43% of data, connected to 2')
  })

  it('waiting for what the seeder has not', () => {
    const error = timeoutError('wrong', job, {
      ...at,
      wrongSeeder: { address: '10.0.0.1:6881', files: ['a', 'b'] },
    })
    expect(error).toMatchObject({ code: 'OTHER_CONTENT', exitCode: 1 })
    expect(error.message).toBe(
      'the seeder at 10.0.0.1:6881 sent other bytes than the torrent says, of a or 1 more beside it, and no other peer has them',
    )
  })

  it('everything', () => {
    expect(timeoutError('total', job, at)).toMatchObject({ code: 'TIMED_OUT', exitCode: 3 })
    const { message } = timeoutError('total', job, { ...at, peers: 0, trackerError: 'not registered' })
    expect(message).toBe(
      'not complete after 600 s: 43% of data, connected to nobody; the tracker: not registered',
    )
  })
})
