import { statSync } from 'node:fs'
import { join } from 'node:path'
import { ExitCode, MurderError } from '../../errors.ts'
import type { Metainfo } from '../../torrent/metainfo/metainfo.ts'

/** Refuses a directory where the torrent has a file, and the reverse. Gives whether anything is there. */
export function checkKind(path: string, { singleFile, name }: Metainfo): boolean {
  const stat = statSync(path, { throwIfNoEntry: false })
  if (stat && singleFile && stat.isDirectory()) {
    throw wrongKind(
      `${path} is a directory, but the torrent is of one file`,
      `name the file, for example ${join(path, name)}`,
    )
  }
  if (stat && !singleFile && !stat.isDirectory()) {
    throw wrongKind(
      `${path} is not a directory, but the torrent is of a directory`,
      'name the directory itself',
    )
  }
  return stat !== undefined
}

/** A seeder's content must be there. */
export function checkSource(path: string, metainfo: Metainfo): void {
  if (checkKind(path, metainfo)) return
  throw new MurderError('MISSING', `there is nothing to seed at ${path}`, {
    exitCode: ExitCode.usage,
    cure: `name the ${metainfo.singleFile ? 'file' : 'directory'} that the torrent was made of`,
  })
}

const wrongKind = (message: string, cure: string) =>
  new MurderError('WRONG_KIND', message, { exitCode: ExitCode.usage, cure })
