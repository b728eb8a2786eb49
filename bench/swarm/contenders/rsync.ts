import { writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { LabHost } from '../../../test/support/lab/host.ts'
import type { LabProcess } from '../../../test/support/lab/process.ts'
import type { Race } from '../race.ts'
import type { Contender } from './contender.ts'
import { need } from './torrent.ts'

/** There is nothing to compare with on the other side: no delta, and no temporary file. */
const plainCopy = ['--whole-file', '--inplace', '--times']
/** The cheapest cipher on machines with AES instructions. */
const remoteShell = ['-e', 'ssh -c aes128-gcm@openssh.com']

/** `rsync` from where it runs to a server, over ssh. */
export function pushOverSsh(race: Race, from: LabHost, file: string, to: LabHost): LabProcess {
  const argv = ['rsync', ...plainCopy, ...remoteShell, file, `root@${to.address}:${race.target}`]
  return race.spawn(from === race.seeder ? 'seeder' : 'peer', from, argv)
}

export async function ended(copy: LabProcess): Promise<void> {
  const { code, signal } = await copy.ended
  if (code !== 0) throw new Error(`rsync ended with ${signal ?? code}: ${copy.tail()}`)
}

export const rsyncDaemon: Contender = {
  what: 'rsync daemon, every server pulls at once',
  setUp: () => need('rsync', 'rsync'),
  async run(race) {
    const config = join(race.lab.directory, 'rsyncd.conf')
    const lines = [
      'use chroot = no',
      'uid = root',
      'gid = root',
      '[content]',
      `path = ${dirname(race.content.file)}`,
    ]
    await writeFile(config, `${lines.join('\n')}\n`)
    const address = race.seeder.address
    race.spawn('seeder', race.seeder, [
      'rsync',
      '--daemon',
      '--no-detach',
      `--config=${config}`,
      '--port=873',
    ])
    const listening = `until (: > /dev/tcp/${address}/873) 2> /dev/null; do sleep 0.05; done`
    await race.lab.exec(race.seeder, ['bash', '-c', listening], { timeout: 10_000 })

    const source = `rsync://${address}/content/${basename(race.content.file)}`
    const pull = ['rsync', ...plainCopy, source, race.target]
    await race.runPeers((server) => race.spawn('peer', server, pull), ended)
  },
}

export const rsyncSsh: Contender = {
  what: 'rsync over ssh, the seeder pushes to every server at once',
  setUp: () => need('rsync', 'rsync'),
  async run(race) {
    await Promise.all(race.servers.map((server) => race.lab.sshd(server)))
    await race.go()
    await Promise.all(
      race.servers.map(async (server) => {
        await ended(pushOverSsh(race, race.seeder, race.content.file, server))
        race.done(server)
      }),
    )
  },
}
