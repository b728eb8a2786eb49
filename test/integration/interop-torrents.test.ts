import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { signerOf } from '../../src/agent/reuse/signature.ts'
import { createTorrent } from '../../src/torrent/metainfo/create.ts'
import { parseMetainfo } from '../../src/torrent/metainfo/metainfo.ts'
import { verifyContent } from '../../src/torrent/storage/verify.ts'

const announce = 'http://10.0.0.1:8998/announce'
const pieceLength = 2 ** 18
const python = '/usr/bin/python3'

/** Prints the infohash that libtorrent sees in a torrent, and whether it is private. */
const open =
  'import libtorrent, sys; t = libtorrent.torrent_info(sys.argv[1]); print(t.info_hashes().v1, t.priv())'
/** Writes libtorrent's torrent of a file or directory: content, parent directory, torrent, `v1` or `hybrid`. */
const make = `
import libtorrent as lt, sys
content, parent, torrent, version = sys.argv[1:]
files = lt.file_storage()
lt.add_files(files, content, flags=0 if version == "v1" else lt.create_torrent.symlinks)
flags = lt.create_torrent.v1_only if version == "v1" else lt.create_torrent.symlinks
made = lt.create_torrent(files, ${pieceLength}, flags=flags)
made.add_tracker("${announce}")
made.set_priv(True)
lt.set_piece_hashes(made, parent)
open(torrent, "wb").write(lt.bencode(made.generate()))
`

function works(program: string, ...args: string[]): boolean {
  try {
    execFileSync(program, args, { stdio: 'ignore' })
    return true
  } catch (error) {
    // mktorrent has no way to do nothing and succeed.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && program === 'mktorrent') return true
    process.stderr.write(`\n*** SKIPPED: ${program} ${args.join(' ')} does not work here ***\n\n`)
    return false
  }
}

describe.each(['file', 'directory'])('the torrent of a %s', (kind) => {
  let parent: string
  let content: string
  let ours: Buffer

  beforeEach(async () => {
    parent = await mkdtemp(join(tmpdir(), 'interop-'))
    content = join(parent, 'content')
    if (kind === 'file') await writeFile(content, randomBytes(3 * pieceLength + 17))
    else {
      await mkdir(join(content, 'b'), { recursive: true })
      await writeFile(join(content, 'a'), randomBytes(pieceLength + 5))
      await writeFile(join(content, 'b', 'c'), randomBytes(2 * pieceLength))
    }
    ours = await createTorrent({ source: content, trackers: [announce], pieceLength })
    await writeFile(join(parent, 'ours.torrent'), ours)
  })
  afterEach(() => rm(parent, { recursive: true, force: true }))

  const states = async (torrent: Buffer) => {
    const checks = await verifyContent(parseMetainfo(torrent), content)
    return new Set(checks.map(({ state }) => state))
  }

  it.skipIf(!works('mktorrent', '-h'))('has the infohash of mktorrent, whose torrent we open', async () => {
    const path = join(parent, 'theirs.torrent')
    execFileSync('mktorrent', ['-p', '-l', '18', '-a', announce, '-o', path, content], { stdio: 'ignore' })
    const theirs = await readFile(path)
    expect(parseMetainfo(theirs)).toEqual({
      ...parseMetainfo(ours),
      createdBy: expect.stringContaining('mktorrent'),
    })
    expect(await states(theirs)).toEqual(new Set(['same']))
  })

  describe.skipIf(!works(python, '-c', 'import libtorrent'))('and libtorrent', () => {
    it('has the same infohash there, and is private', () => {
      const seen = execFileSync(python, ['-c', open, join(parent, 'ours.torrent')], { encoding: 'utf8' })
      expect(seen.trim()).toBe(`${parseMetainfo(ours).infoHash} True`)
    })

    it('opens here when libtorrent made it, with the infohash of ours where the order of files is the same', async () => {
      const path = join(parent, 'theirs.torrent')
      execFileSync(python, ['-c', make, content, parent, path, 'v1'])
      const theirs = await readFile(path)
      expect(await states(theirs)).toEqual(new Set(['same']))
      const { infoHash } = parseMetainfo(theirs)
      expect(execFileSync(python, ['-c', open, path], { encoding: 'utf8' })).toBe(`${infoHash} True\n`)
      if (kind === 'file') expect(infoHash).toBe(parseMetainfo(ours).infoHash)
    })

    it('opens here when libtorrent made a hybrid of it, with padding, symlinks and executable files', async () => {
      const path = join(parent, 'theirs.torrent')
      if (kind === 'directory') {
        await symlink('b/c', join(content, 'l'))
        await chmod(join(content, 'a'), 0o755)
      }
      execFileSync(python, ['-c', make, content, parent, path, 'hybrid'])
      const theirs = await readFile(path)
      expect(await states(theirs)).toEqual(new Set(['same']))
      const { infoHash, files, links } = parseMetainfo(theirs)
      expect(execFileSync(python, ['-c', open, path], { encoding: 'utf8' })).toBe(`${infoHash} True\n`)
      if (kind === 'file') return
      expect(files).toEqual([
        { path: ['a'], length: pieceLength + 5, executable: true },
        { path: ['b', 'c'], length: 2 * pieceLength, padding: pieceLength - 5 },
      ])
      expect(links).toEqual([{ path: ['l'], target: ['b', 'c'] }])
    })
  })
})

describe('a torrent with a signature', () => {
  let directory: string
  let torrent: string
  let infoHash: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'interop-'))
    torrent = join(directory, 'signed.torrent')
    const source = join(directory, 'content')
    await writeFile(source, randomBytes(3 * pieceLength + 17))
    const signed = await createTorrent({ source, trackers: [announce], pieceLength, sign: signerOf })
    await writeFile(torrent, signed)
    expect(parseMetainfo(signed).signature).toBeDefined()
    const plain = await createTorrent({ source, trackers: [announce], pieceLength })
    infoHash = parseMetainfo(plain).infoHash
  })
  afterAll(() => rm(directory, { recursive: true, force: true }))

  it.skipIf(!works(python, '-c', 'import libtorrent'))(
    'has the infohash of one without in libtorrent',
    () => {
      expect(execFileSync(python, ['-c', open, torrent], { encoding: 'utf8' })).toBe(`${infoHash} True\n`)
    },
  )

  it.each([['aria2c', '-S'], ['transmission-show']])('and in %s', (program, ...flags) => {
    if (!works(program, '--version')) return
    expect(execFileSync(program, [...flags, torrent], { encoding: 'utf8' })).toContain(infoHash)
  })
})
