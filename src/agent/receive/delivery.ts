import { unpackHosts } from '../../protocol/host-list.ts'
import type { LinkOrder } from '../../protocol/link.ts'
import type { PlaceOrder, ReceiveOrder, UnpackOrder } from '../../protocol/order.ts'
import { type ContentJob, decodeTorrent } from '../runs/job.ts'
import { torrentOfMagnet } from './torrent-of-magnet.ts'
import { packageFile } from './transfer-directory.ts'

/** An order, parsed once for all parts of `murder receive`. */
export interface Delivery {
  /** This server's share in the swarm. Its path is the package. */
  job: ContentJob
  /** Everything temporary of this transfer. */
  directory: string
  /** SHA-256 of the package, or of a directory's manifest, hex. */
  sha256: string
  /** The content, where it came with the order. */
  content?: Buffer | undefined
  unpack?: UnpackOrder | undefined
  place?: PlaceOrder | undefined
  links?: LinkOrder | undefined
}

/** Throws BAD_TORRENT. */
export function deliveryOf(order: ReceiveOrder): Delivery {
  const { sha256, directory, content, unpack, place, links, torrent, magnet, hosts, ...share } = order
  const job: ContentJob = {
    ...share,
    ...(hosts === undefined ? {} : { hosts: unpackHosts(hosts) }),
    role: 'peer',
    ...(magnet
      ? torrentOfMagnet(magnet, directory)
      : { torrent: decodeTorrent(Buffer.from(torrent ?? '', 'base64')) }),
    path: packageFile(directory),
    limitOfEach: 0,
    attributes: false,
    ownerOnly: true,
    deletesOthers: false,
  }
  return {
    job,
    directory,
    sha256: sha256.toLowerCase(),
    content: content === undefined ? undefined : Buffer.from(content, 'base64'),
    unpack,
    place,
    links,
  }
}
