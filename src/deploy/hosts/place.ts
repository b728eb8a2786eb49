import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { writePrivate } from '../../files/private-file.ts'
import type { Server } from '../../fleet/ssh/server.ts'
import { type Content, upload } from '../../fleet/upload.ts'
import { command, quotePath } from '../../text/shell-quote.ts'
import type { Context } from '../context/context.ts'
import { transferPath } from '../context/server-paths.ts'
import type { Transfer } from '../transfer/transfer.ts'
import { LocalAgent } from './local-host.ts'
import { type Agent, type Role, type StartAgent, startKept } from './restart.ts'
import { startRemote } from './server-host.ts'

/** Where tracker or seeder of one deploy run, for as long as this process lives: the deploy host, or a server. */
export interface Place {
  /** Puts a file there that only this user may read; gives its path. */
  put(name: string, content: Buffer | string): Promise<string>
  /** Brings the package there; gives its path. */
  bring(transfer: Transfer): Promise<string>
  /** Starts an agent, and again when it ends by itself. */
  start(role: Role, args: readonly string[]): Promise<{ agent: Agent; port: number }>
  /** Removes all that was put there. */
  clear(): Promise<void>
}

export function placeAt(context: Context, transfer: Transfer, server: Server | undefined): Place {
  return server ? onServer(context, transfer, server) : here(context, transfer)
}

function starter(context: Context, start: StartAgent, runs: string): Place['start'] {
  const log = (line: string) => context.display.board().log(line)
  return (role, args) => startKept(start, role, [...args, '--run-dir', runs], log)
}

/** Beside the package, so that it goes with it; and two deploys from one host have nothing in common. */
function here(context: Context, { file }: Transfer): Place {
  const directory = dirname(file)
  const made: string[] = []
  const start: StartAgent = (role, args) => LocalAgent.start(context.settings, role, args)
  return {
    async put(name, content) {
      const path = join(directory, name)
      made.push(path)
      await writePrivate(path, content)
      return path
    },
    bring: async (transfer) => transfer.file,
    start: starter(context, start, join(directory, 'runs')),
    async clear() {
      for (const path of made) await rm(path, { force: true })
    },
  }
}

function onServer(context: Context, { tag }: Transfer, server: Server): Place {
  const { fleet, settings, signal } = context
  const directory = posix.join(transferPath(settings, tag), 'seeder')
  const options = { signal, stallTimeout: settings.timeouts.stall }
  const uploaded = async (name: string, content: Content) => {
    const to = posix.join(directory, name)
    await upload(fleet, server, { content, to, mode: 0o600, step: 'seed' }, options)
    return to
  }
  const start: StartAgent = (role, args) => startRemote(context, server, role, [...args, '--tag', tag])
  return {
    put: (name, content) => uploaded(name, Buffer.from(content)),
    bring: ({ file, length, sha256 }) =>
      uploaded('package', { bytes: length, sha256, open: () => createReadStream(file) }),
    start: starter(context, start, directory),
    async clear() {
      const script = `${command('rm', '-rf', directory)}; rmdir ${quotePath(posix.dirname(directory))} 2>/dev/null; true`
      await fleet.one(server, 'seed', { script }, { totalTimeout: 30 })
    },
  }
}
