import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { MANIFEST } from '../../attributes/entry.ts'
import { ExitCode } from '../../errors.ts'
import { writeWhole } from '../../files/write-whole.ts'
import { defined } from '../../system/defined.ts'
import { bytes } from '../../text/format.ts'
import { createTorrent } from '../../torrent/metainfo/create.ts'
import { parseMetainfo } from '../../torrent/metainfo/metainfo.ts'
import { otherClientsNotes } from '../../torrent/metainfo/other-clients.ts'
import { type Arguments, type Command, usageError } from '../cli/arguments.ts'
import { keyValueLines } from '../cli/describe.ts'
import { onInterrupt } from '../cli/interrupt.ts'
import { printError, printJson, printOut } from '../cli/output.ts'
import { progressLine, shareDone } from '../cli/progress-line.ts'
import { readAttributes, writeManifest } from '../manifest/make-manifest.ts'
import { parseBytes, parseTracker } from '../options/units.ts'

const HELP = `murder make-torrent <file|directory> <tracker host:port> <out.torrent>

  murder make-torrent /data 10.0.0.1:8998 data.torrent

Reads the content once and writes its torrent, private unless told otherwise. Modes, times, symlinks, hard links, empty
directories, owners, extended attributes and ACLs of a directory travel as one more file, .murder.mtree, which is kept
in the torrent: nothing is written into the directory.

  --piece-length SIZE   a power of two from 16K to 64M (chosen by size)
  --name NAME           name inside the torrent (the file's or directory's)
  --comment TEXT
  --exclude PATTERN     leave out, as in .gitignore (repeatable)
  --no-private          let clients look for peers elsewhere than at the tracker
  --web-seed URL        a web server that has the content, for clients that use it (repeatable)
  --no-attributes       content only: symlinks are followed, and the infohash is that of other programs
  --write-manifest      write .murder.mtree into the directory too, for other clients that seed it and for web seeds
  --signature           also hashes of blocks of 16K, by which murder peer finds content that has moved or has another
                        name, and fetches blocks instead of pieces; other clients ignore it
  --json                the result as one JSON object`

export const command: Command = {
  help: HELP,
  positionals: ['<file|directory>', '<tracker host:port>', '<out.torrent>'],
  flags: {
    'piece-length': { type: 'string' },
    name: { type: 'string' },
    comment: { type: 'string' },
    exclude: { type: 'string', multiple: true },
    private: { type: 'boolean' },
    'no-private': { type: 'boolean' },
    'web-seed': { type: 'string', multiple: true },
    'no-attributes': { type: 'boolean' },
    'write-manifest': { type: 'boolean' },
    signature: { type: 'boolean' },
    json: { type: 'boolean' },
  },
  async run(args) {
    const [source = '', tracker = '', out = ''] = args.positionals
    const pieceLength = args.value('piece-length', parsePieceLength, undefined)
    const name = args.value('name', parseName, undefined)
    const comment = args.text('comment')
    const exclude = [...args.list('exclude'), ...itself(source, out)]
    refuseOtherFile(out)
    const { signal } = onInterrupt()
    const attributes = args.has('no-attributes') ? {} : await readAttributes(source, exclude, signal)
    if (args.has('write-manifest') && !attributes.lastFile)
      throw usageError('--write-manifest is for a directory with its attributes')
    const progress = progressLine()
    const torrent = await createTorrent({
      source,
      trackers: [parseTracker('the tracker', tracker)],
      private: !args.has('no-private'),
      exclude,
      webSeeds: args.list('web-seed').map(parseWebSeed),
      signal,
      onProgress: (done, total) => progress.show((columns) => shareDone('read', done, total, columns)),
      ...attributes,
      ...(args.has('signature') ? { sign: (await import('../reuse/signature.ts')).signerOf } : {}),
      ...defined({ pieceLength, name, comment }),
    })
    progress.clear()
    writeWhole(resolve(out), torrent)
    if (args.has('write-manifest')) await writeManifest(source, torrent)
    printResult(args, out, torrent)
    return ExitCode.done
  },
}

/** The torrent of an earlier call, when it lies in the very directory that the torrent describes. */
function itself(source: string, out: string): string[] {
  const inside = relative(resolve(source), resolve(out))
  if (inside === '' || inside.startsWith('..')) return []
  return [`/${inside.replaceAll(/[\\*?[\]!#]/g, '\\$&').replace(/ $/, '\\ ')}`]
}

/** Only a torrent is replaced: arguments in the wrong order must not overwrite the content or a device. */
function refuseOtherFile(out: string): void {
  const stat = statSync(out, { throwIfNoEntry: false })
  if (!stat || (stat.isFile() && isTorrent(out))) return
  throw usageError(`${out} is there already and is no torrent; name another file for the torrent`)
}

/** By its first bytes; an empty file may become one. */
function isTorrent(path: string): boolean {
  const start = Buffer.alloc(16)
  const fd = openSync(path, 'r')
  const length = readSync(fd, start, 0, start.length, 0)
  closeSync(fd)
  return length === 0 || /^d\d+:/.test(start.toString('latin1'))
}

function printResult(args: Arguments, out: string, torrent: Buffer): void {
  const { infoHash, name, length, pieceLength, pieces, files, trackers, signature } = parseMetainfo(torrent)
  const count = pieces.length / 20
  const notes = otherClientsNotes(
    name,
    files.filter(({ path }) => path.join('/') !== MANIFEST),
  )
  if (args.has('json')) {
    printJson({
      torrent: out,
      infoHash,
      name,
      bytes: length,
      files: files.length,
      pieceLength,
      pieces: count,
      ...(signature && { signatureBytes: signature.length }),
      notes,
    })
    return
  }
  printOut(
    keyValueLines(out, [
      ['infohash', infoHash],
      ['tracker', trackers.join(', ')],
      ['content', `${name}, ${files.length === 1 ? '1 file' : `${files.length} files`}, ${bytes(length)}`],
      ['pieces', `${count} of ${bytes(pieceLength)}`],
      ...(signature ? [['signature', bytes(signature.length)] as [string, string]] : []),
    ]),
  )
  for (const note of notes) printError(`murder: ${note}`)
}

function parsePieceLength(flag: string, text: string): number {
  const size = parseBytes(flag, text)
  if (size >= 16_384 && size <= 64 * 1024 ** 2 && Number.isInteger(Math.log2(size))) return size
  throw usageError(`${flag} is '${text}', which is not a power of two from 16K to 64M`)
}

function parseWebSeed(text: string): string {
  if (/^(https?|ftp):\/\/[^\s/]+/.test(text) && URL.canParse(text)) return text
  throw usageError(`--web-seed is '${text}', which is not a URL such as http://10.0.0.1/files/`)
}

function parseName(flag: string, text: string): string {
  if (text !== '.' && text !== '..' && !/[/\0]/.test(text)) return text
  throw usageError(`${flag} is '${text}', which is not a file name`)
}
