import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import { emptyDirectory, registryReachable, root, run } from '../support/harness/packed-project.ts'

const agent = join(root, 'dist/murder.mjs')
const newer = ['22', '24']

/** Node binaries from npm, kept between runs: about 120 MB each. No install script is needed for these. */
const cache = join(tmpdir(), `murder-test-node-${process.arch}`)
const binary = (major: string) => join(cache, 'node_modules', `node${major}`, 'bin/node')

async function download(): Promise<void> {
  if (newer.every((major) => existsSync(binary(major)))) return
  await rm(cache, { recursive: true, force: true })
  await mkdir(cache)
  const packages = newer.map((major) => `node${major}@npm:node-linux-${process.arch}@${major}`)
  await writeFile(join(cache, 'package.json'), '{"private":true}')
  await run('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], cache)
}

/** What a server does with the agent before any network is involved. */
function worksOn(node: () => string) {
  it('prints its version', async () => {
    expect(await run(node(), [agent, '--version'], root)).toMatch(/\d+\.\d+\.\d+/)
  })

  it('makes a torrent and verifies content against it', async () => {
    const directory = await emptyDirectory()
    const file = join(directory, 'content.bin')
    await writeFile(file, Buffer.alloc(300_000, 'murder'))
    await run(node(), [agent, 'make-torrent', file, '127.0.0.1:8998', `${file}.torrent`], directory)
    await run(node(), [agent, 'verify', `${file}.torrent`, file], directory)
    await writeFile(file, Buffer.alloc(300_000, 'other'))
    await expect(run(node(), [agent, 'verify', `${file}.torrent`, file], directory)).rejects.toThrow(
      'ended with',
    )
    await rm(directory, { recursive: true })
  })

  it('prints no complaints of Node', async () => {
    const directory = await emptyDirectory()
    const { stderr } = await promisify(execFile)(node(), [agent, 'status', '--run-dir', directory])
    expect(stderr).toBe('')
    await rm(directory, { recursive: true })
  })
}

describe(`the built agent on Node ${process.versions.node}`, () => worksOn(() => process.execPath))

describe.skipIf(!(await registryReachable()))('the built agent on newer Nodes', () => {
  beforeAll(download, 300_000)
  describe.each(newer)('Node %s', (major) => {
    it('is that version', async () => {
      expect(await run(binary(major), ['--version'], root)).toMatch(new RegExp(`^v${major}\\.`))
    })
    worksOn(() => binary(major))
  })
})
