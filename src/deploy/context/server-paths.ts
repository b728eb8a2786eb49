import { posix } from 'node:path'
import type { Settings } from '../../config/schema.ts'

/** Everything temporary of one transfer on a server; removing it ends its peer. */
export const transferPath = ({ temporaryPath }: Settings, tag: string): string =>
  posix.join(temporaryPath, tag)

/** Where a server notes which package a directory was made of: its SHA-256. A release's name is its tag. */
export const notePath = (remotePath: string, name: string): string => posix.join(remotePath, 'unpacked', name)

export const releasesPath = (deployTo: string): string => posix.join(deployTo, 'releases')
