import { ExitCode } from '../../errors.ts'
import type { Command } from '../arguments.ts'
import { type Follower, followerOf } from '../follower.ts'
import { parseOrder } from '../order.ts'
import { receive } from '../receive.ts'

const help = `murder receive

For the Shipit plugin: reads an order (JSON, one line) on standard input, gets the package that it names, unpacks it,
writes events as JSON lines, and shares on until it has lingered or reads "end". By hand there is murder peer.`

/** How often the plugin hears that it is waited for. */
const SIGN_MS = 2000

async function orderOf({ order, say }: Follower): Promise<string> {
  const sign = () => say({ event: 'ready' })
  sign()
  const timer = setInterval(sign, SIGN_MS)
  try {
    return await order
  } finally {
    clearInterval(timer)
  }
}

export const command: Command = {
  help,
  positionals: [],
  flags: { json: { type: 'boolean' } },
  async run() {
    const follower = followerOf(process.stdin)
    await receive(parseOrder(await orderOf(follower)), follower)
    return ExitCode.done
  },
}
