import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'

export interface KeyFile {
  /** Path of the private key, mode 0600. */
  path: string
  private: string
  /** One line: type and base64. */
  public: string
}

/** A new key pair in OpenSSH's format. Not ed25519: ssh2 1.17 drops leading zero bytes of those, one key in 256. */
export function makeKey(directory: string, name: string): KeyFile {
  const pair = ssh2.utils.generateKeyPairSync('ecdsa', { bits: 256, comment: name })
  const path = join(directory, name)
  writeFileSync(path, pair.private, { mode: 0o600 })
  chmodSync(path, 0o600)
  return { path, private: pair.private, public: pair.public }
}
