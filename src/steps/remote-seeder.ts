import { createReadStream } from 'node:fs'
import { posix } from 'node:path'
import type { Outcome } from '../remote/fleet.ts'
import type { Server } from '../remote/server.ts'
import { command, quotePath } from '../remote/shell.ts'
import { upload } from '../remote/upload.ts'
import type { FleetFacts } from './check.ts'
import type { Context } from './context.ts'
import { type Role, startKept } from './kept-agent.ts'
import { transferPath } from './paths.ts'
import { permitOf } from './permits.ts'
import { startRemote } from './remote-agent.ts'
import { hasOwnTracker, type Swarm, seedArguments, seederTrackers } from './swarm.ts'
import type { Transfer } from './transfer.ts'

/** Uploads the package once, to the server that seeds, and starts tracker and seeder there in the background. */
export async function startOnServer(
  context: Context,
  transfer: Transfer,
  server: Server,
  facts: FleetFacts,
): Promise<Swarm> {
  const { fleet, settings, signal } = context
  const directory = posix.join(transferPath(settings, transfer.tag), 'seeder')
  const [torrent, file] = [posix.join(directory, 'package.torrent'), posix.join(directory, 'package')]
  const options = { servers: [server], signal, stallTimeout: settings.timeouts.stall }
  const whole = {
    bytes: transfer.length,
    sha256: transfer.sha256,
    open: () => createReadStream(transfer.file),
  }
  const [permits, secret] = [posix.join(directory, 'permits.json'), posix.join(directory, 'secret')]
  const permitted = Buffer.from(JSON.stringify([await permitOf(context, transfer, facts)]))
  const small: [Buffer, string][] = [
    [transfer.torrent, torrent],
    [permitted, permits],
    ...(transfer.secret === undefined ? [] : [[Buffer.from(transfer.secret), secret] as [Buffer, string]]),
  ]
  for (const [content, to] of small)
    must(await upload(fleet, { content, to, mode: 0o600, step: 'seed' }, options))
  must(await upload(fleet, { content: whole, to: file, mode: 0o600, step: 'seed' }, options))

  const start = (role: Role, ...args: string[]) =>
    startKept(
      (role, args) => startRemote(context, server, role, args),
      role,
      [...args, '--run-dir', directory],
      (line) => context.board().log(line),
    )
  const tag = ['--tag', transfer.tag]
  const port = String(settings.tracker.port)
  const tracker = hasOwnTracker(settings)
    ? await start('tracker', '--port', port, '--permits', permits, ...tag)
    : undefined
  const trackers = seederTrackers(settings, tracker?.port, transfer)
  const files = { torrent, content: file, ...(transfer.secret === undefined ? {} : { secret }) }
  const args = seedArguments(context, files, trackers, fleet.servers.length)
  const seeder = await start('seed', ...args, ...tag).catch(async (error) => {
    await tracker?.agent.stop()
    throw error
  })
  const host = settings.announce ?? facts.get(server)?.serverAddress ?? server.host
  return {
    trackerPort: tracker?.port,
    seederPort: seeder.port,
    hostFor: (peer) => (peer === server ? '127.0.0.1' : host),
    sent: () => seeder.agent.sent,
    broken: Promise.race([seeder.agent.ended, ...(tracker ? [tracker.agent.ended] : [])]),
    async stop() {
      await Promise.all([tracker?.agent.stop(), seeder.agent.stop()])
      const script = `${command('rm', '-rf', directory)}; rmdir ${quotePath(posix.dirname(directory))} 2>/dev/null; true`
      must(await fleet.run('seed', () => ({ script }), { servers: [server], totalTimeout: 30 }))
    },
  }
}

function must(outcomes: readonly Outcome[]): void {
  for (const outcome of outcomes) if (!outcome.ok) throw outcome.error
}
