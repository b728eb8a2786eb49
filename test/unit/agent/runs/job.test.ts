import { expect, it } from 'vitest'
import {
  type ContentJob,
  decodeJob,
  decodeTorrent,
  encodeJob,
  runOf,
} from '../../../../src/agent/runs/job.ts'
import { encodeMetainfo } from '../../../../src/torrent/metainfo/metainfo.ts'

const timeouts = { connect: 60, stall: 120, total: 0 }
const torrent = decodeTorrent(
  encodeMetainfo({
    name: 'data',
    pieceLength: 16_384,
    pieces: new Uint8Array(20).fill(7),
    content: 100,
    trackers: ['http://10.0.0.1:8998/announce'],
  }),
)
const job: ContentJob = {
  role: 'seeder',
  tag: 'a',
  torrent,
  path: '/data',
  trackers: [],
  secret: 'a secret of the swarm',
  peers: ['[fd00::5]:6881'],
  ports: [6881, 6999],
  linger: 30,
  uploadLimit: 0,
  downloadLimit: 0,
  limitOfEach: 0,
  attributes: true,
  ownerOnly: false,
  deletesOthers: false,
  timeouts,
}

it('reaches another process as it is, with its torrent', () => {
  expect(decodeJob(encodeJob(job))).toEqual(job)
  const tracker = {
    role: 'tracker',
    tag: 't',
    port: 8998,
    only: [{ infoHash: torrent.metainfo.infoHash, name: 'data', size: 3 }],
    timeouts,
  } as const
  expect(decodeJob(encodeJob({ ...tracker, only: [...tracker.only] }))).toEqual(tracker)
})

it('tells others which torrent and which path it is of', () => {
  expect(runOf(job)).toEqual({ role: 'seeder', tag: 'a', infoHash: torrent.metainfo.infoHash, path: '/data' })
})

it('is refused when its torrent is none', () => {
  expect(() => decodeTorrent(Buffer.from('hello'))).toThrow(/no usable torrent/)
})
