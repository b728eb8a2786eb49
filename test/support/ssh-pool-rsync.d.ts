declare module 'ssh-pool/lib/commands/rsync.js' {
  /** The shell command that ssh-pool copies with. */
  export function formatRsyncCommand(options: {
    src: string
    dest: string
    excludes?: string[]
    additionalArgs?: string[]
  }): string
}
