import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { Delivery } from '../../../../../src/agent/receive/delivery.ts'
import { carryFrom, keptBy } from '../../../../../src/agent/receive/install/carry.ts'
import { assertRoomToCarry } from '../../../../../src/agent/receive/install/carry-room.ts'
import { Destination } from '../../../../../src/package/unpack/destination.ts'
import { diskSpace } from '../../../../../src/torrent/storage/disk-space.ts'
import { temporary } from '../../../package/trees.ts'

it('keeps what the patterns leave out, and what is beside the package', () => {
  const filter = [{ kind: 'exclude' as const, pattern: '/app/logs' }]
  const keeps = keptBy({ from: '/', filter, ignore: ['/tmp'], within: 'app' })
  const kept = ['app', 'app/logs', 'app/tmp', 'app/src', 'apple', 'tmp', 'logs'].filter((path) =>
    keeps(path, true),
  )
  expect(kept).toEqual(['app/logs', 'app/tmp', 'apple', 'tmp', 'logs'])
})

const all = (from: string) => ({ from, filter: [], ignore: ['*'] })

const hasAcl = spawnSync('setfacl', ['--test', '-m', 'u:4001:r', tmpdir()]).status === 0

it.skipIf(!hasAcl)('carries extended attributes and ACLs, as cp -a does', async () => {
  const [from, into] = [temporary(), join(temporary(), 'release')]
  mkdirSync(join(from, 'uploads'))
  writeFileSync(join(from, 'uploads/é\u0301'), 'with an ACL')
  writeFileSync(join(from, 'uploads/plain'), '')
  execFileSync('setfacl', ['-m', 'u:4001:rw,d:u:4002:rwx', join(from, 'uploads')])
  execFileSync('setfacl', ['-m', 'u:4001:rw', join(from, 'uploads/é\u0301')])
  execFileSync('setfattr', ['-n', 'user.kind', '-v', 'picture', join(from, 'uploads/é\u0301')])
  chmodSync(join(from, 'uploads/é\u0301'), 0o440)
  const destination = new Destination(into)
  const carried = await carryFrom(all(from), new AbortController().signal)(destination)
  expect(carried).toMatchObject({ files: 2, skipped: [] })
  const look = (root: string) =>
    [
      ['getfacl', '-R', '-n', 'uploads'],
      ['getfattr', '-R', '-d', 'uploads'],
    ].map(([program = '', ...args]) => execFileSync(program, args, { cwd: root, encoding: 'utf8' }))
  expect(look(into)).toEqual(look(from))
  expect(look(into).join()).toContain('user.kind="picture"')
})

it('refuses before anything is fetched what does not fit besides the release', async () => {
  const root = temporary()
  const { free, used } = await diskSpace(root)
  mkdirSync(join(root, 'releases/1'), { recursive: true })
  const delivery = (carried: number, everything = false): Delivery => {
    writeFileSync(join(root, 'releases/1/upload'), '')
    truncateSync(join(root, 'releases/1/upload'), carried)
    const from = join(root, 'releases/1')
    const carry = { ...all(from), ...(everything ? { everything } : {}) }
    const unpack = {
      into: join(root, 'releases/2'),
      compression: 'none',
      bytes: Math.floor(free - used / 2),
      carry,
    }
    return {
      job: { path: join(root, 'package'), torrent: { metainfo: { length: 0 } } },
      unpack,
    } as unknown as Delivery
  }
  const refusal = { code: 'DISK_FULL', message: expect.stringContaining('carried over from'), step: 'check' }
  await expect(assertRoomToCarry(delivery(used))).rejects.toMatchObject(refusal)
  await assertRoomToCarry(delivery(1024))
  await assertRoomToCarry(delivery(used, true))
})
