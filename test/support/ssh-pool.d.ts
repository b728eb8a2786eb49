declare module 'ssh-pool' {
  import type { SshConnection, SshRemote } from '../../src/fleet/ssh/server.ts'
  export class ConnectionPool {
    constructor(remotes: (SshRemote | string)[], options?: object)
    connections: SshConnection[]
  }
}
