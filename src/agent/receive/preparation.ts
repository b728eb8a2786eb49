import type { Server } from 'node:net'
import type { Answers, Question } from '../../protocol/questions.ts'
import type { Links } from '../links/links.ts'

/**
 * What this process does for the plugin before it gets its order: it tries how machines reach each other, and connects servers
 * over SSH. Questions are answered one after the other.
 */
export class Preparation {
  /** The connections that were made. */
  links: Links | undefined
  #listener: Server | undefined
  #turn: Promise<unknown> = Promise.resolve()

  answer(question: Question): Promise<Answers[keyof Answers]> {
    const answered = this.#turn.then(() => this.#answer(question))
    this.#turn = answered.catch(() => {})
    return answered
  }

  /** Closes all that it has opened. */
  close(): void {
    this.stopListening()
    this.links?.close()
    this.links = undefined
  }

  /** Frees the port: the order has come, and the peer needs it. */
  stopListening(): void {
    this.#listener?.close()
    this.#listener = undefined
  }

  async #answer(question: Question): Promise<Answers[keyof Answers]> {
    if ('listen' in question) return this.#listen(question.listen)
    if ('reach' in question) {
      const { tryAll } = await import('./try-reach.ts')
      return tryAll(question.reach)
    }
    if ('loopback' in question) {
      const { passesLoopback } = await import('../../torrent/wire/loopback.ts')
      return passesLoopback()
    }
    if ('offer' in question) {
      const { Links } = await import('../links/links.ts')
      try {
        this.links ??= await Links.open(question.offer.directory)
      } catch (error) {
        return { why: (error as Error).message }
      }
      return this.links.offer(question.offer.self)
    }
    if (!this.links) return { why: 'it has made no key' }
    return 'admit' in question ? this.links.admit(question.admit) : this.links.dial(question.dial)
  }

  async #listen(ports: [number, number]): Promise<Answers['listen']> {
    const { listen } = await import('../../torrent/peers/listen.ts')
    const { answerHandshake } = await import('../../torrent/wire/answer-handshake.ts')
    try {
      this.#listener = await listen(ports, answerHandshake)
      return { port: (this.#listener.address() as { port: number }).port }
    } catch {
      return {} // The peer says so, when it needs the port.
    }
  }
}
