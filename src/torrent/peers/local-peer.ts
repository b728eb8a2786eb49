import { randomBytes } from 'node:crypto'
import { isLoopback } from '../../system/addresses.ts'
import { keyOf } from '../access/secret.ts'
import { mayExchange } from '../metainfo/metainfo.ts'
import type { OwnSiteOptions, ParticipantOptions } from '../participant-options.ts'
import { LARGEST_BLOCK_BYTES } from '../wire/peer-wire.ts'
import { smoothBlock } from './limits/rate-limit.ts'

/** Prefix of agents' peer ids. */
const AGENT_ID_PREFIX = '-MU'
const AGENT_ID_PREFIX_HEX = Buffer.from(AGENT_ID_PREFIX).toString('hex')

/** This process as its connections need to know it. Sizes in bytes. */
export interface LocalPeer {
  /** Hex, as `peerId`. */
  readonly infoHash: string
  readonly peerId: string
  readonly pieceCount: number
  readonly isSeeder: boolean
  /** Whether agents may tell each other of other peers in this swarm. */
  readonly exchangesPeers: boolean
  /** Neighbours must prove that they know it (`keyOf`). Without a key, every peer is accepted. */
  readonly key: Buffer | undefined
  /** Bytes a second to any one neighbour; 0 is no limit. */
  readonly limitOfEach: number
  /** The longest block that others should request from us. */
  readonly largestUpload: number
  /** The longest block that we request. */
  readonly largestDownload: number
  /** Bytes of the info dictionary; undefined as long as it is not here. */
  metadataSize: number | undefined
  /** The site that the user has named, or the place that a tracker has found. */
  site: OwnSiteOptions | undefined
  /** Its number among the leaders of its site, in a larger swarm whose tracker tells it. */
  rank: number | undefined
  /** 0 before it is known. */
  listenPort: number
}

export function localPeer(options: ParticipantOptions): LocalPeer {
  const { metainfo, role, secret, limitOfEach = 0, uploadLimit = 0, downloadLimit = 0 } = options
  return {
    infoHash: metainfo.infoHash,
    peerId: Buffer.concat([Buffer.from(`${AGENT_ID_PREFIX}0100-`), randomBytes(12)]).toString('hex'),
    pieceCount: Math.ceil(metainfo.length / metainfo.pieceLength),
    isSeeder: role === 'seeder',
    exchangesPeers: secret !== undefined || mayExchange(metainfo),
    key: secret === undefined ? undefined : keyOf(secret, 'peers'),
    limitOfEach,
    largestUpload: smoothBlock(limitOfEach, smoothBlock(uploadLimit, LARGEST_BLOCK_BYTES)),
    largestDownload: smoothBlock(downloadLimit, LARGEST_BLOCK_BYTES),
    metadataSize: options.metadata ? undefined : metainfo.info.length,
    site: options.site,
    rank: undefined,
    listenPort: 0,
  }
}

/**
 * Whether this address has only one peer. A peer that has proved to belong to the fleet has its own address, except on one
 * machine, as in a test.
 */
export const isOneServer = ({ key }: LocalPeer, host: string): boolean =>
  key !== undefined && !isLoopback(host)

/** `peerId` in hex. */
export const isAgentId = (peerId: string): boolean => peerId.startsWith(AGENT_ID_PREFIX_HEX)
