import { setMaxListeners } from 'node:events'
import { ExitCode, explain, interrupted } from '../../errors.ts'
import type { Shipit } from '../../shipit.ts'
import { removeShallowClones } from './shallow-clone.ts'
import { silenceTmp } from './tmp-package.ts'

/**
 * The first Ctrl-C lets the running step end and tidy up. The second one, or one while another plugin's task runs, ends the process
 * at once. A terminal that is closed counts as Ctrl-C.
 */
export class Interrupt {
  readonly #shipit: Shipit
  readonly #controller = new AbortController()
  readonly #restoreTmp: () => void
  #steps = 0
  #hungUp = false

  constructor(shipit: Shipit) {
    this.#shipit = shipit
    // There is a listener for every server. Node would report more than ten listeners as a leak.
    setMaxListeners(0, this.signal)
    process.on('SIGINT', this.#stop)
    process.on('SIGTERM', this.#stop)
    process.on('SIGHUP', this.#hangUp)
    // Afterwards, because a signal that arrives while there is no listener would be lost.
    this.#restoreTmp = silenceTmp()
  }

  /** Aborted by Ctrl-C, with a MurderError of exit code 130. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Runs a step. Ctrl-C ends it in order. */
  async during<T>(step: () => Promise<T>): Promise<T> {
    this.#steps++
    try {
      return await step()
    } finally {
      this.#steps--
    }
  }

  close(): void {
    process.off('SIGINT', this.#stop)
    process.off('SIGTERM', this.#stop)
    process.off('SIGHUP', this.#hangUp)
    this.#restoreTmp()
  }

  /** SIGHUP comes twice, from the shell and from the kernel. From then on printing fails, which must not end the process. */
  readonly #hangUp = (): void => {
    if (this.#hungUp) return
    this.#hungUp = true
    for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
    this.#stop()
  }

  readonly #stop = (): void => {
    const { aborted } = this.signal
    if (!aborted && this.#steps > 0)
      return this.#controller.abort(interrupted('nothing was published; run it again when you like'))
    removeShallowClones(this.#shipit)
    const consequence = aborted ? 'at once: something may be left' : 'what was done until now stays'
    process.stderr.write(`${explain(interrupted(consequence))}\n`)
    process.exit(ExitCode.interrupted)
  }
}
