import { ExitCode } from '../../../errors.ts'
import type { Command } from '../../cli/arguments.ts'
import { parsePort } from '../../options/units.ts'

const HELP = `murder relay [tracker port] [seeder port]

For the Shipit plugin: listens on this machine's loopback for its own peers, and carries their connections over standard input
and output to tracker and seeder of the deploy, where the deploy host cannot be reached in another way.`

export const command: Command = {
  help: HELP,
  positionals: ['[tracker port]', '[seeder port]'],
  flags: {},
  async run({ positionals }) {
    const [tracker = 0, seeder = 0] = positionals.map((text) => parsePort('a port', text))
    const { relay } = await import('../../relay/relay.ts')
    await relay({ tracker, seeder })
    return ExitCode.done
  },
}
