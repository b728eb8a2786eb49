import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { inTemporaryDirectory, makeTransfer } from '../../../../src/deploy/transfer/make-transfer.ts'
import { MurderError } from '../../../../src/errors.ts'
import type { Entry } from '../../../../src/files/entry.ts'
import { temporary } from '../../package/trees.ts'

const said: string[] = []

const contextOf = (workspace: string) => {
  const settings = { package: 'file', ignore: [], compression: 'none', pieceLength: 16_384 }
  const display = { board: () => ({ step() {}, log: (line: string) => said.push(line) }) }
  return { settings, display, shipit: { config: { workspace } }, signal: undefined } as unknown as Context
}

async function packaged(root: string, source = root): Promise<string[]> {
  const wish = { tag: 'one', directory: join(root, '.shipit-murder/draft'), peers: 1 }
  const context = contextOf(source)
  const paths: string[] = []
  const onScanned = (_: string, entries: readonly Entry[]) => paths.push(...entries.map(({ path }) => path))
  await makeTransfer(context, { ...wish, zstdEverywhere: false, onScanned })
  return paths
}

test('the plugin’s own files are never packaged, whatever way leads to them', async () => {
  const root = temporary()
  for (const path of ['app.js', '.shipit-murder/logs/now.log', 'sub/.shipit-murder/logs/now.log']) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), '')
  }
  const link = join(temporary(), 'link')
  symlinkSync(root, link)
  expect(await packaged(root)).toEqual(['.', 'app.js', 'sub'])
  expect(await packaged(temporary(), link)).toEqual(['.', 'app.js', 'sub'])
})

test('the size of .git in a release is said', async () => {
  const root = temporary()
  mkdirSync(join(root, '.git'))
  writeFileSync(join(root, '.git/pack'), Buffer.alloc(2048))
  writeFileSync(join(root, '.gitignore'), 'x')
  await packaged(root)
  expect(said).toEqual([".git is 2.0 KiB of the release; ignores: ['.git'] leaves it out"])
})

test('when the temporary directory is full, TMPDIR is named', () => {
  const error = new MurderError('DISK_FULL', 'no space left', { cure: 'free space' })
  const cure = expect.stringContaining('TMPDIR=/var/tmp')
  expect(inTemporaryDirectory(error, join(tmpdir(), 'x/package'))).toMatchObject({
    message: 'no space left',
    cure,
  })
  expect(inTemporaryDirectory(error, '/elsewhere/package')).toBe(error)
})
