import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeTemporaryDirectory } from '../../../src/system/temporary-directory.ts'

let parent: string

beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), 'temporary-'))
})
afterEach(() => {
  chmodSync(parent, 0o700)
  rmSync(parent, { recursive: true, force: true })
})

/** A directory whose owner was killed: a process with this one's number, which started earlier. */
function abandon(prefix: string): string {
  const directory = makeTemporaryDirectory(prefix, parent)
  const owner = join(directory, 'owner')
  writeFileSync(owner, readFileSync(owner, 'utf8').replace(/^(\d+) \d+/, '$1 1'))
  writeFileSync(join(directory, 'package'), 'large')
  return directory
}

describe.runIf(process.platform === 'linux')('makeTemporaryDirectory', () => {
  it('makes a directory that is private', () => {
    const directory = makeTemporaryDirectory('some-', parent)
    expect(statSync(directory).mode & 0o777).toBe(0o700)
  })

  it('removes those of processes that were killed, and no others', () => {
    const killed = abandon('some-')
    const other = abandon('other-')
    expect(existsSync(killed)).toBe(true)
    const own = makeTemporaryDirectory('some-', parent)
    mkdirSync(join(parent, 'some-noname'))
    mkdirSync(join(parent, 'some-abcdef'))
    writeFileSync(join(parent, 'some-abcdef', 'owner'), 'somebody')
    const next = makeTemporaryDirectory('some-', parent)
    expect(
      readdirSync(parent)
        .map((name) => join(parent, name))
        .sort(),
    ).toEqual([join(parent, 'some-noname'), join(parent, 'some-abcdef'), other, own, next].sort())
  })

  it('goes on where the parent may be written and not listed, and says so', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const made = asNobody(() => {
      chmodSync(parent, 0o300)
      return makeTemporaryDirectory('some-', parent)
    })
    expect(existsSync(made)).toBe(true)
    expect(warn.mock.calls.flat().join()).toMatch(/^No look for what killed deploys left: .*EACCES/)
    warn.mockRestore()
  })
})

/** Root may list everything. Others do it as they are. */
function asNobody<T>(act: () => T): T {
  if (process.geteuid?.() !== 0) return act()
  const nobody = 65534
  chownSync(parent, nobody, nobody)
  process.seteuid?.(nobody)
  try {
    return act()
  } finally {
    process.seteuid?.(0)
  }
}
