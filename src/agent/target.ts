import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { ExitCode, MurderError } from '../errors.ts'
import type { Metainfo } from '../torrent/metainfo.ts'

/** Refuses a directory where the torrent has a file, and the reverse, before anything is touched. */
export function checkTarget(role: 'seeder' | 'peer', path: string, metainfo: Metainfo): void {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (!stat) {
    if (role === 'peer') return
    throw new MurderError('MISSING', `there is nothing to seed at ${path}`, {
      exitCode: ExitCode.usage,
      cure: `name the ${metainfo.singleFile ? 'file' : 'directory'} that the torrent was made of`,
    })
  }
  if (metainfo.singleFile && stat.isDirectory()) {
    throw new MurderError('WRONG_KIND', `${path} is a directory, but the torrent is of one file`, {
      exitCode: ExitCode.usage,
      cure: `name the file, for example ${path.replace(/\/$/, '')}/${basename(metainfo.name)}`,
    })
  }
  if (!metainfo.singleFile && !stat.isDirectory()) {
    throw new MurderError('WRONG_KIND', `${path} is not a directory, but the torrent is of a directory`, {
      exitCode: ExitCode.usage,
      cure: 'name the directory itself',
    })
  }
}
