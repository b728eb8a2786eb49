import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { makeTransfer } from '../../../../src/deploy/transfer/make-transfer.ts'
import { temporary } from '../../package/trees.ts'

const contextOf = (workspace: string) => {
  const settings = { package: 'file', ignore: [], compression: 'none', pieceLength: 16_384 }
  const display = { board: () => ({ step() {} }) }
  return { settings, display, shipit: { config: { workspace } }, signal: undefined } as unknown as Context
}

async function packaged(root: string, source = root): Promise<string[]> {
  const wish = { tag: 'one', directory: join(root, '.shipit-murder/draft'), peers: 1 }
  const context = contextOf(source)
  const { entries } = await makeTransfer(context, { ...wish, prefill: false, zstdEverywhere: false })
  return entries.map(({ path }) => path)
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
