import { appendFileSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { format } from 'node:util'
import type { OutputEvent } from '../../report/events.ts'
import type { Shipit } from '../../shipit.ts'
import { environmentName, logsDirectory } from '../paths/local-paths.ts'
import { redact } from './redact.ts'

const KEPT_LOGS = 20

/**
 * The log of one deploy, in a file of its own. Nothing is written before `begin`. If the log cannot be written, the deploy goes
 * on.
 */
export class DeployLog {
  #file: string | undefined
  readonly #secrets: string[] = []
  readonly #shipit: Shipit

  constructor(shipit: Shipit) {
    this.#shipit = shipit
  }

  /** Starts the file. From now on it also gets what Shipit logs. */
  begin(now = new Date()): void {
    if (this.#file !== undefined) return
    const directory = logsDirectory()
    const time = now.toISOString().replace(/\D/g, '').slice(0, 14)
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 })
      this.#file = join(directory, `${time}-${environmentName(this.#shipit.environment)}-${process.pid}.log`)
      const old = readdirSync(directory).filter((name) => name.endsWith('.log'))
      for (const name of old.sort().slice(0, Math.max(0, old.length - KEPT_LOGS + 1)))
        rmSync(join(directory, name), { force: true })
    } catch {
      this.#file = undefined
      return
    }
    const log = this.#shipit.log.bind(this.#shipit)
    this.#shipit.log = (...words) => {
      this.line(format(...words))
      log(...words)
    }
  }

  /** Keeps this text out of the log from now on. */
  hide(secret: string): void {
    this.#secrets.push(secret)
  }

  /** The text without secrets. */
  redacted(text: string): string {
    return redact(text, process.env, this.#secrets)
  }

  /** The same with all texts in it, for what leaves this machine. */
  redactedValue<T>(value: T): T {
    const env = { ...process.env } // Node asks the system for each variable of the original.
    return JSON.parse(JSON.stringify(value), (_, each) =>
      typeof each === 'string' ? redact(each, env, this.#secrets) : each,
    )
  }

  event({ event, ...fields }: OutputEvent): void {
    this.line(`${event} ${JSON.stringify(fields)}`)
  }

  line(text: string): void {
    if (this.#file === undefined || text.trim() === '') return
    const plain = this.redacted(text)
    const time = new Date().toISOString()
    const lines = plain.split('\n').filter((line) => line.trim() !== '')
    try {
      appendFileSync(this.#file, lines.map((line) => `${time} ${line}\n`).join(''), { mode: 0o600 })
    } catch {
      this.#file = undefined
    }
  }
}
