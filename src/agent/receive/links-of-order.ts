import type { PeerLinks } from '../../torrent/peers/dialing/peer-links.ts'
import type { Delivery } from './delivery.ts'
import type { Follower } from './follower.ts'
import { isUsed } from './transfer-directory.ts'

/** A deploy whose connection broke, or that was suspended for a moment, is back within seconds. */
const ALONE_MS = 40_000
const LOOK_MS = 1000

/** This server's connections to others over SSH, as its order asks for; undefined where it asks for none. */
export async function linksOfOrder(
  { links: order }: Delivery,
  follower: Follower,
): Promise<PeerLinks | undefined> {
  const { preparation } = follower
  if (!order) {
    preparation.links?.close()
    preparation.links = undefined
    return undefined
  }
  const isNew = preparation.links === undefined
  const { Links } = await import('../links/links.ts')
  preparation.links ??= await Links.open(order.directory)
  await preparation.links.prepare(order, isNew)
  return preparation.links
}

/** Removes the keys of a deploy that nobody follows any more, neither here nor in another process. */
export function lockOutWhenAlone({ left, silence, preparation }: Follower): void {
  let followedMs = performance.now()
  const timer = setInterval(() => {
    const { links } = preparation
    const isFollowed = !left.aborted && silence() < LOOK_MS * 10
    if (isFollowed || (links && isUsed(links.transfer))) followedMs = performance.now()
    else if (performance.now() - followedMs > ALONE_MS) {
      clearInterval(timer)
      links?.lockOut()
    }
  }, LOOK_MS)
  timer.unref()
}
