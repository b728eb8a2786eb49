import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { syncTree } from '../../../../src/files/directories/sync-tree.ts'
import { makeWhole } from '../../../../src/package/unpack/unpack.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "sync it's "))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

/** What the program `sync` of this test does. */
function sync(script: string): void {
  const tools = join(root, 'tools')
  mkdirSync(tools)
  writeFileSync(join(tools, 'sync'), `#!/bin/sh\n${script}\n`)
  chmodSync(join(tools, 'sync'), 0o755)
  vi.stubEnv('PATH', `${tools}:${process.env.PATH}`)
}

function tree(): string {
  const directory = join(root, 'tree')
  mkdirSync(join(directory, 'a/b'), { recursive: true })
  for (const name of ['1', 'a/2', 'a/b/3']) writeFileSync(join(directory, name), name)
  symlinkSync('/nowhere', join(directory, 'link'))
  return directory
}

test('the file system is synced at once', async () => {
  sync(`printf '%s\\n' "$@" >'${root.replaceAll("'", "'\\''")}/asked'`)
  const directory = tree()
  await syncTree(directory, undefined, () => expect.fail())
  expect(readFileSync(join(root, 'asked'), 'utf8')).toBe(`-f\n${directory}\n`)
})

test('where that is not possible each file is, and each directory after what is in it', async () => {
  sync('exit 1')
  const directory = tree()
  const order: string[] = []
  await syncTree(directory, undefined, async (path) => void order.push(relative(directory, path)))
  expect([...order].sort()).toEqual(['', '1', 'a', 'a/2', 'a/b', 'a/b/3'])
  for (const [first, second] of [
    ['a/b/3', 'a/b'],
    ['a/b', 'a'],
    ['a', ''],
  ] as const)
    expect(order.indexOf(first)).toBeLessThan(order.indexOf(second))
  await syncTree(directory) // and with files that are synced
})

test('a release is on the disk before it has its name', async () => {
  const into = join(root, 'release')
  sync(`cat "$2/file"; [ ! -e '${into.replaceAll("'", "'\\''")}' ] && cp -R "$2" "$2.synced"`)
  await makeWhole({ into }, async (destination) => {
    destination.startFile({ path: 'file', type: 'file', mode: 0o644, mtime: 0n, size: 7 } as never)
    destination.write(Buffer.from('content'))
    destination.endFile()
    return { files: 1, bytes: 7 }
  })
  expect(readFileSync(join(root, '.release.partial.synced/file'), 'utf8')).toBe('content')
  expect(existsSync(join(into, 'file'))).toBe(true)
})
