import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { makeKeyPair } from '../../../../src/agent/links/key-pair.ts'
import { isPublicKey } from '../../../../src/protocol/link.ts'

test('OpenSSH reads the private half, and finds the public one in it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'key-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const { privateKey, publicKey } = makeKeyPair()
  const file = join(directory, 'key')
  writeFileSync(file, privateKey, { mode: 0o600 })
  const found = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' })
  expect(found.split(' ').slice(0, 2).join(' ').trim()).toBe(publicKey)
  expect(isPublicKey(publicKey)).toBe(true)
})

test('nothing else is taken for a public key', () => {
  const { publicKey } = makeKeyPair()
  for (const text of [
    `${publicKey} comment`,
    `restrict ${publicKey}`,
    `${publicKey}\n`,
    'ssh-rsa AAAA',
    '',
    1,
  ])
    expect(isPublicKey(text)).toBe(false)
})
