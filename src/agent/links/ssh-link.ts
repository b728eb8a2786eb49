import type { Socket } from 'node:net'
import { pause } from '../../system/backoff.ts'
import { Greetings, REACHED, TAKEN } from './greeting.ts'
import { OneSocket } from './one-socket.ts'
import { CONFIG_FILE } from './ssh-config.ts'
import { type Login, whyNot } from './why-not.ts'

/** The command that we ask for with a key. Its forced command must run instead. */
const ASKED = 'murder command'
/** Time for the login and the answer of the agent there. */
const REACH_TIMEOUT_MS = 12_000
/** sshd rejects connections when many come at once (MaxStartups). */
const ATTEMPTS = 3
const PAUSE_S = 0.5

interface LinkLogin {
  name: string
  command: string | undefined
}

/** The connection to one target. */
export class SshLink {
  readonly #login: Login
  readonly #ssh: OneSocket
  readonly #greetings: Greetings

  /** Connects to a target of the configuration. Resolves when the agent there answers. Rejects with the reason. */
  static async open(target: LinkLogin, directory: string, signal: AbortSignal): Promise<SshLink> {
    for (let attempt = 1; ; attempt++) {
      const link = new SshLink(target, directory)
      try {
        await link.#reached(signal)
        return link
      } catch (error) {
        link.close()
        const isTurnedAway = /kex_exchange_identification|Connection reset|closed by remote/i.test(
          link.#ssh.said,
        )
        if (!isTurnedAway || attempt === ATTEMPTS || signal.aborted) throw error
        await pause(PAUSE_S * attempt, signal)
      }
    }
  }

  private constructor({ name, command }: LinkLogin, directory: string) {
    this.#login = command === undefined ? 'key' : 'agent'
    this.#ssh = new OneSocket(['ssh', '-F', CONFIG_FILE, name, '--', command ?? ASKED], directory)
    this.#greetings = new Greetings(this.socket)
  }

  get socket(): Socket {
    return this.#ssh.socket
  }

  /** Resolves when the peer there has taken the connection. It is not read from then on. */
  async taken(): Promise<void> {
    await this.#greetings.until(TAKEN)
    this.#greetings.release()
  }

  close(): void {
    this.#ssh.close()
  }

  async #reached(signal: AbortSignal): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('no agent answers')), REACH_TIMEOUT_MS)
      signal.addEventListener('abort', () => reject(new Error('it was called off')), { once: true })
    })
    late.catch(() => {})
    try {
      await Promise.race([this.#greetings.until(REACHED), late])
    } catch (error) {
      throw new Error(whyNot(this.#ssh.said, (error as Error).message, this.#login))
    } finally {
      clearTimeout(timer)
    }
  }
}
