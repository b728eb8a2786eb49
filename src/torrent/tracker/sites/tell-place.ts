import bencode from 'bencode'
import { plainAddress } from '../../../system/addresses.ts'
import { decodeUntrusted } from '../../encoding/bencode.ts'
import { PLACE_KEY } from '../announce.ts'
import type { AnnounceParams } from '../announced-address.ts'
import { amend } from '../answers.ts'
import type { Locator } from './locator.ts'

/**
 * Tells asking agents their place (`Locator`). Other peers learn about an agent only afterwards, so that nobody meets a peer of
 * unknown place. An open tracker locates only the asking peer itself: otherwise strangers could make it connect to any machine.
 */
export async function tellPlace(
  announced: AnnounceParams,
  locator: Locator,
  isTrusted: boolean,
): Promise<void> {
  const { ip, port, httpReq, httpRes } = announced
  if (!isTrusted && ip !== plainAddress(httpReq.socket.remoteAddress ?? '')) return
  const place = await locator.locate(ip, port)
  if (place !== undefined) amend(httpRes, (body) => withPlace(body, place))
}

function withPlace(body: Uint8Array, place: string): Uint8Array {
  const answer = decodeUntrusted(body) as Record<string, unknown>
  return bencode.encode({ ...answer, [PLACE_KEY]: place } as never)
}
