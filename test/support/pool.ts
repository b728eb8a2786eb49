import { ConnectionPool } from 'ssh-pool'
import type { SshConnection, SshRemote } from '../../src/fleet/ssh/server.ts'

export interface PoolOptions {
  key?: string
  strict?: string
  asUser?: string
}

/** Connections as shipit-cli makes them, by the real ssh-pool. */
export function poolOf(remotes: (SshRemote | string)[], options: PoolOptions = {}): SshConnection[] {
  return new ConnectionPool(remotes, options).connections
}
