import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseMetainfo } from '../../src/torrent/metainfo/metainfo.ts'
import { bundledAgent, freePort, Sandbox } from '../support/harness/agent-harness.ts'

const UNIT = 16 * 1024
const PIECE = 4 * UNIT
const bundled = bundledAgent()
let sandbox: Sandbox
let port: number

beforeEach(async () => {
  sandbox = await Sandbox.make(bundled.program)
  port = await freePort()
})
afterEach(() => sandbox.end())

const make = (...flags: string[]) =>
  sandbox.run([
    'make-torrent',
    'data',
    `127.0.0.1:${port}`,
    'data.torrent',
    '--piece-length',
    '64K',
    ...flags,
  ])

async function seed(...flags: string[]) {
  expect(await make(...flags)).toMatchObject({ code: 0, stderr: '' })
  await sandbox.run(['tracker', '--port', String(port)])
  await sandbox.run(['seed', 'data.torrent', 'data', '--ports', '20000-29999'])
}

/** What a peer said, and the content bytes that it got. */
async function peer(...flags: string[]) {
  const args = ['peer', 'data.torrent', 'copy', '--ports', '20000-29999', '--json', '--no-linger', ...flags]
  const agent = sandbox.start(args)
  const { code, stderr } = await agent.ended
  const { received } = agent.events.find(({ event }) => event === 'downloaded') ?? {}
  const warnings = agent.events.flatMap(({ event, message }) => (event === 'warning' ? [message] : []))
  return { code, stderr, received, warnings }
}

const flipped = (bytes: Buffer, ...places: number[]) => {
  const copy = Buffer.from(bytes)
  for (const at of places) copy[at] = (copy[at] as number) ^ 1
  return copy
}

describe('with a signature', () => {
  const content = randomBytes(40 * UNIT + 77)

  it('a peer fetches the blocks that changed, and not their pieces', async () => {
    await sandbox.file('data', content)
    await seed('--signature')
    await sandbox.file('copy', flipped(content, 5, PIECE + 3 * UNIT))
    expect(await peer()).toMatchObject({ code: 0, received: 2 * UNIT, warnings: [] })
    expect(await readFile(sandbox.path('copy'))).toEqual(content)
  })

  it('it finds what has moved, in its own file and elsewhere, and other names of a file do not change', async () => {
    await sandbox.file('data', content)
    await seed('--signature')
    const before = Buffer.concat([flipped(content.subarray(1, 20 * UNIT), 9 * UNIT), randomBytes(9)])
    await sandbox.file('copy', before)
    await link(sandbox.path('copy'), sandbox.path('another name'))
    await sandbox.file('elsewhere/deep/old', Buffer.concat([randomBytes(5), content.subarray(20 * UNIT)]))
    expect(await peer('--from', 'elsewhere')).toMatchObject({ code: 0, received: 2 * UNIT + 77 })
    expect(await readFile(sandbox.path('copy'))).toEqual(content)
    expect(await readFile(sandbox.path('another name'))).toEqual(before)
  })

  it('files of a directory are found under other names', async () => {
    for (let file = 0; file < 30; file++)
      await sandbox.file(`data/new/${file}`, randomBytes(500 + 211 * file))
    await sandbox.file('data/app-2.js', content)
    await seed('--signature')
    for (let file = 0; file < 30; file++)
      await sandbox.file(`copy/old/${file}`, await readFile(sandbox.path(`data/new/${file}`)))
    await sandbox.file('copy/app-1.js', content)
    const { code, received } = await peer()
    expect(code).toBe(0)
    // The manifest is new, and lies in a block with the last files.
    expect(received).toBeLessThanOrEqual(2 * UNIT)
    expect(await readFile(sandbox.path('copy/app-2.js'))).toEqual(content)
    expect(await readFile(sandbox.path('copy/new/29'))).toEqual(await readFile(sandbox.path('data/new/29')))
  })

  it('one that lies costs bytes: the content is right, and nobody is banned', async () => {
    await sandbox.file('data', flipped(content, 5 * UNIT + 1))
    await make('--signature')
    const { signature: lie } = parseMetainfo(await readFile(sandbox.path('data.torrent')))
    await sandbox.file('data', content)
    await seed('--signature')
    const torrent = await readFile(sandbox.path('data.torrent'))
    const { signature } = parseMetainfo(torrent)
    torrent.set(lie as Uint8Array, torrent.indexOf(signature as Uint8Array))
    await sandbox.file('data.torrent', torrent)
    // A block of the same piece is missing, so that the lie is found out together with what came.
    await sandbox.file('copy', flipped(content, 4 * UNIT, 5 * UNIT + 1))
    const { code, received } = await peer()
    expect({ code, received }).toEqual({ code: 0, received: UNIT + PIECE })
    expect(await readFile(sandbox.path('copy'))).toEqual(content)
  })

  it('one of another length is not used, which is said', async () => {
    await sandbox.file('data', content)
    await seed('--signature')
    const torrent = await readFile(sandbox.path('data.torrent'))
    const { signature } = parseMetainfo(torrent) as { signature: Uint8Array }
    const at = torrent.indexOf(signature)
    const head = torrent.subarray(0, at - `${signature.length}:`.length)
    const rest = torrent.subarray(at + signature.length)
    await sandbox.file('data.torrent', Buffer.concat([head, Buffer.from('3:xyz'), rest]))
    await sandbox.file('copy', flipped(content, 5))
    const { code, received, warnings } = await peer()
    expect({ code, received }).toEqual({ code: 0, received: PIECE })
    expect(warnings).toEqual([expect.stringMatching(/^the signature in the torrent is not used: .*version/)])
  })

  it('the infohash is that without one', async () => {
    await sandbox.file('data', content)
    const infoHash = async (...flags: string[]) =>
      JSON.parse((await make('--json', ...flags)).stdout).infoHash
    expect(await infoHash('--signature')).toBe(await infoHash())
  })
})

it('without a signature, of a damaged piece nothing more than the piece is fetched, and --from is refused', async () => {
  const content = randomBytes(10 * PIECE)
  await sandbox.file('data', content)
  await seed()
  await sandbox.file('copy', flipped(content, 5, 3 * PIECE))
  expect((await peer('--from', '.')).stderr).toMatch(/--from needs a torrent with a signature/)
  expect((await stat(sandbox.path('copy'))).size).toBe(content.length)
  expect(await peer()).toMatchObject({ code: 0, received: 2 * PIECE })
})

it('--from that is not there is refused before anything is touched', async () => {
  await mkdir(sandbox.path('data'))
  await writeFile(sandbox.path('data/x'), 'x')
  await make('--signature')
  const { code, stderr } = await peer('--from', 'nowhere')
  expect(code).toBe(2)
  expect(stderr).toMatch(/--from names .*nowhere, which does not exist/)
  await expect(stat(sandbox.path('copy'))).rejects.toThrow()
})
