import { ExitCode } from '../../errors.ts'
import type { Command } from '../arguments.ts'
import { parseOrder } from '../order.ts'
import { receive } from '../receive.ts'
import { readStdin } from '../torrent-input.ts'

/** A torrent of 64 MiB in base64, and the rest of the order. */
const LIMIT_BYTES = 100 * 1024 * 1024

const help = `murder receive

  murder receive < order.json

For the Shipit plugin: reads an order on standard input, gets the package that it names, unpacks it, and writes events
as JSON lines. By hand there is murder peer.`

export const command: Command = {
  help,
  positionals: [],
  flags: { json: { type: 'boolean' } },
  async run() {
    await receive(parseOrder((await readStdin(LIMIT_BYTES, 'the order')).toString('utf8')))
    return ExitCode.done
  },
}
