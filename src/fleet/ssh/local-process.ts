import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'

const alive = new Set<LocalChild>()

// When this process exits, its ssh processes end with it.
process.on('exit', () => {
  for (const child of alive) child.signal('SIGTERM')
})

/**
 * A local shell command in a process group of its own. So Ctrl-C in the terminal doesn't reach it, and we can clean up first;
 * and killing it takes ssh's helpers (ProxyCommand) along.
 */
export class LocalChild {
  readonly process: ChildProcessWithoutNullStreams
  /** Resolves when the process is gone and its output has been read. Never rejects. */
  readonly ended: Promise<{ exitCode: number | null; signal: NodeJS.Signals | null; error?: Error }>
  #gone = false

  constructor(commandLine: string) {
    this.process = spawn('/bin/sh', ['-c', `exec ${commandLine}`], { detached: true })
    this.ended = this.#watch()
    alive.add(this)
  }

  /** Whether the process has ended. Some of its output may still be unread. */
  get gone(): boolean {
    return this.#gone || this.process.exitCode !== null || this.process.signalCode !== null
  }

  /** Ends the process group, by SIGKILL after `graceSeconds`. Resolves when it is gone. */
  async kill(graceSeconds = 2): Promise<void> {
    this.signal('SIGTERM')
    const force = setTimeout(() => this.signal('SIGKILL'), graceSeconds * 1000)
    await this.ended
    clearTimeout(force)
  }

  signal(signal: NodeJS.Signals): void {
    const { pid } = this.process
    if (this.#gone || pid === undefined) return
    try {
      process.kill(-pid, signal)
    } catch {
      // The group ended at this very moment, as `ended` will say.
    }
  }

  #watch(): LocalChild['ended'] {
    const { process: child } = this
    // When a command ends before it has read its input, its exit code counts, not EPIPE.
    child.stdin.on('error', () => {})
    return new Promise((resolve) => {
      const finish = (result: Awaited<LocalChild['ended']>) => {
        this.#gone = true
        alive.delete(this)
        resolve(result)
      }
      child.once('error', (error) => finish({ exitCode: null, signal: null, error }))
      child.once('close', (exitCode, signal) => finish({ exitCode, signal }))
      child.once('exit', () => {
        // A background master of the user's own configuration may hold our pipes open long after ssh itself has ended. On a busy
        // machine this timer is due before output is read that came long ago, so that is read first.
        const letGo = () => {
          for (const stream of child.stdio) stream?.destroy()
        }
        setTimeout(() => setImmediate(letGo), 1000).unref()
      })
    })
  }
}
