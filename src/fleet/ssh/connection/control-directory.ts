import { tmpdir } from 'node:os'
import { makeTemporaryDirectory } from '../../../system/temporary-directory.ts'

/**
 * A private directory (0700) for control sockets. A socket's path must stay under 104 bytes (macOS), of which OpenSSH
 * takes 17 while it makes the socket; it goes through a shell unquoted and through ssh's own expansion of `%` and `~`.
 */
export function makeControlDirectory(parent = tmpdir()): string {
  const usable = /^\/[\w./-]*$/.test(parent) && parent.length < 60
  return makeTemporaryDirectory('murder-', usable ? parent : '/tmp')
}
