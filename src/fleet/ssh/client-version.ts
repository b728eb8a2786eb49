import { spawnSync } from 'node:child_process'

let known: number | undefined

/** The local OpenSSH as a number, 9.2 for `OpenSSH_9.2p1`; 0 where there is none. */
export function clientVersion(): number {
  known ??= parseVersion(spawnSync('ssh', ['-V'], { encoding: 'utf8' }).stderr ?? '')
  return known
}

/** Minor versions have had one digit so far; 10 and more would still be newer than all that is compared with. */
export function parseVersion(text: string): number {
  return Number(/OpenSSH\w*_(\d+\.\d)/.exec(text)?.[1] ?? 0)
}
