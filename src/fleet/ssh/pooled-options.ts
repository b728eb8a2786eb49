import type { SshConnection, SshRemote } from './server.ts'

/**
 * The options of ssh-pool's connections, which Shipit's own commands use, too. Our options are in force until the user's are
 * restored.
 */
export class PooledOptions {
  readonly #original = new Map<SshConnection, SshRemote>()

  replace(connection: SshConnection, remote: SshRemote): void {
    this.#original.set(connection, connection.remote)
    connection.remote = remote
  }

  restore(): void {
    for (const [connection, remote] of this.#original) connection.remote = remote
  }
}
