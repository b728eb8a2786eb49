import { ExitCode, MurderError } from '../../../errors.ts'
import { parseOrder } from '../../../protocol/parse-order.ts'
import { aborted, either } from '../../../system/abort.ts'
import type { Command } from '../../cli/arguments.ts'
import { deliveryOf } from '../../receive/delivery.ts'
import { type Follower, followerOf } from '../../receive/follower.ts'
import { lockOutWhenAlone } from '../../receive/links-of-order.ts'
import { receive } from '../../receive/receive.ts'

const HELP = `murder receive

For the Shipit plugin: reads an order (JSON, one line) on standard input, gets the package that it names, unpacks it,
writes events as JSON lines, and shares on until it has lingered or reads "end". By hand there is murder peer.`

/** How often the plugin hears that this agent waits for its order. */
const READY_MS = 2000
/** How long the plugin may be silent before it has sent the order. */
const ORDER_TIMEOUT_MS = 60_000

/**
 * Waits for the order. Throws NO_ORDER when the deploy host has vanished: a connection that nobody closes looks open for a
 * quarter of an hour.
 */
function orderOf({ order, say, silence, left, stop }: Follower): Promise<string> {
  const sign = () => say({ event: 'ready' })
  sign()
  return new Promise((resolve, reject) => {
    const giveUp = () =>
      reject(new MurderError('NO_ORDER', 'no order came', { exitCode: ExitCode.interrupted }))
    void aborted(either(left, stop)).then(giveUp)
    const timer = setInterval(() => (silence() > ORDER_TIMEOUT_MS ? giveUp() : sign()), READY_MS)
    order.then(resolve).finally(() => clearInterval(timer))
  })
}

export const command: Command = {
  help: HELP,
  positionals: [],
  flags: { json: { type: 'boolean' } },
  async run() {
    const follower = followerOf(process.stdin)
    lockOutWhenAlone(follower)
    try {
      const isLost = await receive(deliveryOf(parseOrder(await orderOf(follower))), follower)
      // A follower that hears this after all removes the receipt.
      return isLost ? ExitCode.interrupted : ExitCode.done
    } finally {
      follower.preparation.close()
    }
  },
}
