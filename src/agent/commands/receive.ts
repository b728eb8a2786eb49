import { ExitCode } from '../../errors.ts'
import type { Command } from '../arguments.ts'
import { followerOf } from '../follower.ts'
import { parseOrder } from '../order.ts'
import { receive } from '../receive.ts'

const help = `murder receive

For the Shipit plugin: reads an order (JSON, one line) on standard input, gets the package that it names, unpacks it,
writes events as JSON lines, and shares on until it has lingered or reads "end". By hand there is murder peer.`

export const command: Command = {
  help,
  positionals: [],
  flags: { json: { type: 'boolean' } },
  async run() {
    const follower = followerOf(process.stdin)
    await receive(parseOrder(await follower.order), follower)
    return ExitCode.done
  },
}
