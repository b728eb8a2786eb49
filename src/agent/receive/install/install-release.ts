import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MANIFEST } from '../../../attributes/entry.ts'
import { MurderError } from '../../../errors.ts'
import { type Entry, sortEntries } from '../../../files/entry.ts'
import { sha256Of } from '../../../files/hash.ts'
import { type Delivered, type Manifest, manifestOf } from '../../../package/delta/format/manifest.ts'
import type { ExtractOptions } from '../../../package/unpack/extract.ts'
import type { Fill, Filled } from '../../../package/unpack/unpack.ts'
import type { UnpackOrder } from '../../../protocol/order.ts'
import { defined } from '../../../system/defined.ts'
import { manifestOfTorrent } from '../../manifest/torrent-manifest.ts'
import type { Delivery } from '../delivery.ts'

export interface Making {
  /** Waits for more of a package that is still arriving; undefined where it is complete. */
  beyond: ExtractOptions['beyond']
  /** Called when the release is whole, just before it gets its name. */
  onWhole: (made: Filled) => void
}

/** Makes the release directory of the package, of a delta, or of the files that were fetched. */
export async function installRelease(
  delivery: Delivery,
  unpack: UnpackOrder,
  signal: AbortSignal,
  { beyond, onWhole }: Making,
): Promise<Filled> {
  const { into, existing, revision } = unpack
  const carry = unpack.carry && (await import('./carry.ts')).carryFrom(unpack.carry, signal)
  const whole = { into, signal, onWhole, ...defined({ revision, carry }) }
  const { fill, delivered } = await filling(delivery, unpack, signal, beyond)
  const filled = await (existing
    ? (await import('../../../package/unpack/overwrite.ts')).makeOver(whole, existing, fill)
    : (await import('../../../package/unpack/unpack.ts')).makeWhole(whole, fill))
  if (unpack.record !== undefined)
    await (await import('./note-delivered.ts')).noteDelivered(unpack, delivered())
  return filled
}

/** Makes the release and returns what was delivered, where that is known. */
interface Filling {
  fill: Fill
  delivered: () => Manifest
}

async function filling(
  delivery: Delivery,
  unpack: UnpackOrder,
  signal: AbortSignal,
  beyond: ExtractOptions['beyond'],
): Promise<Filling> {
  if (unpack.directory) return fillFromDirectory(delivery, signal)
  if (unpack.base) {
    const { fillFromDelta } = await import('./fill-from-delta.ts')
    return fillFromDelta(delivery, unpack.base, { signal, ...defined({ key: unpack.key, beyond }) })
  }
  return fillFromPackage(delivery, unpack, signal, beyond)
}

async function fillFromPackage(
  { job, sha256 }: Delivery,
  { compression, key, record }: UnpackOrder,
  signal: AbortSignal,
  beyond: ExtractOptions['beyond'],
): Promise<Filling> {
  const { extractInto } = await import('../../../package/unpack/extract.ts')
  const made: Delivered[] = []
  const onMade = (entry: Entry, sha256?: string) =>
    void made.push(sha256 === undefined ? entry : { ...entry, sha256 })
  const notes = record === undefined ? {} : { onMade }
  const options = { file: job.path, compression, sha256, signal, ...defined({ key, beyond }), ...notes }
  return {
    fill: (destination) => extractInto(destination, options),
    // A package has another order than a manifest.
    delivered: () => manifestOf(sortEntries(made)),
  }
}

async function fillFromDirectory(delivery: Delivery, signal: AbortSignal): Promise<Filling> {
  const { path: from, torrent } = delivery.job
  const bytes = readFileSync(join(from, MANIFEST))
  if (sha256Of(bytes) !== delivery.sha256)
    throw new MurderError('PACKAGE_WRONG', `${MANIFEST} is not what was sent: its SHA-256 differs`, {
      cure: 'deploy again; if it happens twice, check the disk and memory of this server',
    })
  const { entries } = await manifestOfTorrent(torrent.metainfo, bytes)
  const { adoptInto } = await import('../../../package/unpack/adopt.ts')
  return {
    fill: (destination) => adoptInto(destination, { from, entries, signal }),
    delivered: () => manifestOf(entries),
  }
}
