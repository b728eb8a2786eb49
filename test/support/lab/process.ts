import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A program that runs inside a host of a lab. Its output is kept and can be awaited line by line. */
export class LabProcess {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
  stdout = ''
  stderr = ''
  readonly #name: string
  readonly #depth: number
  readonly #listeners = new Set<(line: string) => void>()

  /** `depth`: how many wrappers stand between the child process and the program that signals are meant for. */
  constructor(argv: string[], options: SpawnOptions, name: string, depth: number) {
    const [command = '', ...args] = argv
    this.#name = name
    this.#depth = depth
    this.child = spawn(command, args, options)
    // A program that ends without reading its input breaks the pipe; how it ended is reported anyway.
    this.child.stdin?.on('error', () => undefined)
    this.ended = new Promise((resolve, reject) => {
      this.child.once('error', reject)
      this.child.once('close', (code, signal) => resolve({ code, signal }))
    })
    this.ended.catch(() => undefined)
    for (const stream of ['stdout', 'stderr'] as const) {
      const lines = createInterface({ input: this.child[stream] as NodeJS.ReadableStream, crlfDelay: 0 })
      lines.on('line', (line) => {
        this[stream] += `${line}\n`
        for (const listener of [...this.#listeners]) listener(line)
      })
    }
  }

  /** Calls back for each line that comes from now on, of both streams. Returns how to stop that. */
  onLine(listener: (line: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The first line of either stream, past or future, that matches. Rejects when the program ends without it. */
  line(pattern: RegExp, timeout = 60_000): Promise<string> {
    const past = `${this.stdout}${this.stderr}`.split('\n').find((line) => pattern.test(line))
    if (past !== undefined) return Promise.resolve(past)
    return new Promise((resolve, reject) => {
      const fail = (why: string) => {
        stop()
        reject(new Error(`${this.#name} ${why}, no line matched ${pattern}\n${this.tail()}`))
      }
      const timer = setTimeout(() => fail(`ran for ${timeout} ms`), timeout)
      const remove = this.onLine((line) => {
        if (!pattern.test(line)) return
        stop()
        resolve(line)
      })
      const stop = () => {
        clearTimeout(timer)
        remove()
      }
      this.ended.then(
        ({ code, signal }) => fail(`ended with ${signal ?? code}`),
        (error: Error) => fail(error.message),
      )
    })
  }

  /** The end of both streams, for error messages. */
  tail(): string {
    return [this.stderr.slice(-2000), this.stdout.slice(-2000)].filter(Boolean).join('\n')
  }

  /** Pid of the program itself as seen from outside the host; undefined when it has not started or has ended. */
  pid(): number | undefined {
    let pid = this.child.pid
    for (let level = 0; level < this.#depth && pid !== undefined; level++) pid = childrenOf(pid)[0]
    return pid
  }

  /** Signals the program itself, not what wraps it. Harmless when it has ended. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const pid = this.pid() ?? this.child.pid
    if (pid === undefined) return
    try {
      process.kill(pid, signal)
      if (signal === 'SIGCONT') this.child.kill(signal) // nsenter has stopped with it.
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  /** Ends the program: asks, and after `grace` milliseconds insists. Resolves when it is gone. */
  async stop(grace = 3000): Promise<Ended> {
    this.kill('SIGTERM')
    const timer = setTimeout(() => this.kill('SIGKILL'), grace)
    try {
      return await this.ended
    } finally {
      clearTimeout(timer)
    }
  }
}

/** Pids of the children of a process, oldest first. Walks /proc, because not every kernel lists children. */
function childrenOf(parent: number): number[] {
  const found: number[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
      if (Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent) found.push(Number(name))
    } catch {
      // It ended while we looked.
    }
  }
  return found.sort((a, b) => a - b)
}
