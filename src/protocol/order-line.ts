import { deflateRawSync, inflateRawSync } from 'node:zlib'
import type { ReceiveOrder } from './order.ts'

/**
 * What most orders have in common, as the dictionary of their compression. Agent and plugin have the same version, so it may change.
 */
const DICTIONARY = Buffer.from(
  JSON.stringify({
    place: { path: '/', name: '', mode: 420, mtime: 0 },
    links: {
      directory: '',
      admit: ['ssh-ed25519 '],
      targets: [{ name: '', hosts: [], port: 22, hostKeys: [], hostName: '' }],
    },
    site: { name: '', key: '', limit: 0, servers: 1, seederSite: '' },
    torrent: '',
    content: '',
    existing: 'replace',
    revision: '',
    key: '',
    base: { from: '/releases/20', record: '/.murder-bases/20', id: '', becomes: '' },
    tag: '20',
    sha256: '',
    directory: '/srv/var/www/opt/app/shared/murder/tmp/20',
    trackers: ['http://10.0.0.1:8998/{secret}/announce'],
    peers: ['10.0.0.1:6881'],
    ports: [6881, 6999],
    fleet: 1,
    linger: 30,
    uploadLimit: 0,
    downloadLimit: 0,
    timeouts: { connect: 0, stall: 60, total: 0, health: 60, hook: 120 },
    magnet: { infoHash: '', sha256: '', size: 1, name: 'package', length: 1, pieceLength: 32768 },
    secret: '',
    hosts: '',
    unpack: {
      into: '/releases/20',
      compression: 'brotli gzip zstd none',
      carry: { from: '/releases/20', filter: [{ kind: 'exclude', pattern: '/' }], ignore: [] },
      record: '/.murder-bases/20',
      bytes: 1,
    },
  }),
)
/** An order has content of at most some hundred kilobytes in it. */
const MAX_ORDER_BYTES = 64 * 1024 * 1024

/** The order as a line: with the paths and hashes of one server, about a third of its JSON. */
export const orderLine = (order: ReceiveOrder): string =>
  `${deflateRawSync(JSON.stringify(order), { level: 9, dictionary: DICTIONARY }).toString('base64')}\n`

/** The JSON in such a line, or in a line of JSON. Throws for anything else. */
export const jsonOfLine = (line: string): string =>
  line.startsWith('{')
    ? line
    : inflateRawSync(Buffer.from(line, 'base64'), {
        dictionary: DICTIONARY,
        maxOutputLength: MAX_ORDER_BYTES,
      }).toString()
