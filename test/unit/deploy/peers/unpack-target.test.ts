import { expect, test } from 'vitest'
import type { Context } from '../../../../src/deploy/context/context.ts'
import { unpackTargetOf } from '../../../../src/deploy/peers/unpack-target.ts'
import type { StoredTransfer } from '../../../../src/deploy/transfer/stored-transfer.ts'

const servers = [{ host: 'a' }, { host: 'b', deployTo: '/data/b' }].map((remote) => ({
  connection: { remote },
}))

const targetOf = (destinationPath: string) =>
  unpackTargetOf(
    {
      settings: {
        destinationPath,
        noTagDirectory: true,
        unsafePleaseDelete: true,
        remotePath: '/srv/app/shared/murder',
        temporaryPath: '/srv/app/shared/murder/tmp',
      },
      shipit: { config: { deployTo: '/srv/app' } },
      fleet: { servers },
    } as unknown as Context,
    { tag: 'T' } as StoredTransfer,
  )

test.each([
  '/',
  '/srv',
  '/srv/app',
  '/srv/app/shared/murder/tmp',
  '/data',
  '/data/b/',
  '/data/b/shared/murder',
])('%s, which holds what is ours on a server, is not emptied', (path) =>
  expect(() => targetOf(path)).toThrow(`murder.destinationPath is ${path}, which holds /`),
)

test('a directory of its own is', () => {
  expect(targetOf('/srv/files')).toEqual({ path: '/srv/files', release: false, existing: 'replace' })
})
