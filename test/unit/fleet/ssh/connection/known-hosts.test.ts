import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hostKeysIn } from '../../../../../src/fleet/ssh/connection/known-hosts.ts'

test.each([
  ['a.example.com ssh-ed25519 AAA', 'a.example.com', ['ssh-ed25519 AAA']],
  ['# a.example.com ssh-ed25519 AAA', 'a.example.com', []],
  ['b.example.com,A.example.com ssh-ed25519 AAA comment', 'a.example.com', ['ssh-ed25519 AAA']],
  ['*.example.com,!a.example.com ssh-ed25519 AAA', 'a.example.com', []],
  ['*.example.com ssh-ed25519 AAA', 'a.example.com', ['ssh-ed25519 AAA']],
  ['a?example.com ssh-ed25519 AAA', 'a.example.com', ['ssh-ed25519 AAA']],
  ['axexample.com ssh-ed25519 AAA', 'a.example.com', []],
  ['[a.example.com]:2222 ssh-ed25519 AAA', 'a.example.com', []],
  ['[a.example.com]:2222 ssh-ed25519 AAA', '[a.example.com]:2222', ['ssh-ed25519 AAA']],
  ['@cert-authority *.example.com ssh-rsa AAA', 'a.example.com', ['@cert-authority ssh-rsa AAA']],
  ['a.example.com ssh-rsa AAA\n@revoked * ssh-rsa AAA', 'a.example.com', []],
  ['nonsense\n\n|1|x|y ssh-rsa AAA', 'a.example.com', []],
])('%j for %s', (text, name, keys) => {
  expect(hostKeysIn(text, name)).toEqual(keys)
})

test('names that ssh-keygen has hashed', () => {
  const directory = mkdtempSync(join(tmpdir(), 'known-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'known_hosts')
  const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ6vTDPPOz2pTzE8xJ0rNbdKY3b3hXnJfV5T7xT7x7aB'
  writeFileSync(file, `10.0.0.1 ${key}\n[10.0.0.1]:2222 ${key}\n`)
  execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'pipe' })
  const text = readFileSync(file, 'utf8')
  expect(text).toContain('|1|')
  expect(hostKeysIn(text, '10.0.0.1')).toEqual([key])
  expect(hostKeysIn(text, '[10.0.0.1]:2222')).toEqual([key])
  expect(hostKeysIn(text, '10.0.0.2')).toEqual([])
})
