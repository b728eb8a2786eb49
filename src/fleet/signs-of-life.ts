import { Readable } from 'node:stream'
import { setTimeout } from 'node:timers/promises'
import { PULSE } from './persistent-shell-script.ts'

const EVERY_MS = 1000

/**
 * Input for a command that reads none and may say nothing for long: firewalls, and sshd (ChannelTimeout), end a session in which
 * nothing moves. sshd's pipe to the command holds some 64,000 of these lines.
 */
export const signsOfLife = (): Readable => Readable.from(pulses())

async function* pulses(): AsyncGenerator<string> {
  for (;;) {
    await setTimeout(EVERY_MS, undefined, { ref: false })
    yield PULSE
  }
}
