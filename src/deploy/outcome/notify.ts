import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { join } from 'node:path'
import type { Occasion } from '../../config/kinds/notify.ts'
import { explain } from '../../errors.ts'
import { notifyFile } from '../../notify-file.ts'
import { author } from '../context/author.ts'
import type { Context } from '../context/context.ts'
import { logsDirectory } from '../paths/local-paths.ts'
import { releaseBefore, said } from './run-report.ts'
import { count } from './say.ts'

/**
 * Sends the notices that `notify` asks for. A process of its own delivers them, with retries; the run does not wait. Failed
 * deliveries are listed in `.shipit-murder/logs/notify.txt`.
 */
export function notify(
  context: Pick<Context, 'fleet' | 'log' | 'record' | 'settings' | 'shipit'>,
  occasion: Occasion,
  { release = context.shipit.releaseDirname, ...about }: About = {},
): void {
  const { settings, shipit } = context
  const { url, command, on } = settings.notify
  if ((url === undefined && command === undefined) || !on.includes(occasion)) return
  const body = JSON.stringify(noticeOf(context, occasion, { release, ...about }))
  try {
    mkdirSync(logsDirectory(), { recursive: true, mode: 0o700 })
    const failures = openSync(join(logsDirectory(), 'notify.txt'), 'a', 0o600)
    const child = spawn(process.execPath, [notifyFile], {
      detached: true,
      stdio: ['pipe', 'ignore', failures],
    })
    closeSync(failures)
    child.on('error', (cause) => shipit.log(`Nobody was told: ${explain(cause)}`))
    child.stdin?.on('error', () => {}) // It could not start, which is reported.
    child.stdin?.end(JSON.stringify({ url, command, body }))
    child.unref()
  } catch (cause) {
    shipit.log(`Nobody was told: ${explain(cause)}`)
  }
}

interface About {
  /** The failure of the run. */
  error?: unknown
  release?: string | undefined
  /** What has started. */
  doing?: string
}

const textOf: Record<Occasion, (about: { doing: string; release: string }) => string> = {
  started: ({ doing }) => doing,
  published: ({ release }) => `${release} published`,
  failed: ({ release }) => `${release} failed`,
  reverted: ({ release }) => `${release} taken back`,
  rolledBack: ({ release }) => `rolled back to ${release}`,
}

/** `text` is what Slack and similar services show. It contains no secrets. */
function noticeOf(
  { fleet, record, shipit, log }: Pick<Context, 'fleet' | 'log' | 'record' | 'shipit'>,
  event: Occasion,
  { error, release, doing = 'begins' }: About,
) {
  const { who, when } = author()
  const { environment, currentRevision: revision = null } = shipit
  const servers = fleet.all.length
  const published = record.servers.filter((server) => server.published).length
  const why = error === undefined ? null : log.redacted(said(error))
  const what = textOf[event]({ doing, release: release ?? 'a deploy' })
  const where = `${environment}: ${what} (${count(servers, 'server')}, by ${who})`
  return {
    text: why === null ? where : `${where}: ${why}`,
    event,
    environment,
    release: release ?? null,
    revision,
    previousRelease: releaseBefore(shipit),
    by: who,
    when,
    servers,
    published,
    error: why,
  }
}
