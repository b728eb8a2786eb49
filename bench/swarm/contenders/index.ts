import { aria2 } from './aria2.ts'
import { bounce } from './bounce.ts'
import type { Contender } from './contender.ts'
import { libtorrent, libtorrentSuper } from './libtorrent.ts'
import { murder } from './murder.ts'
import { rsyncDaemon, rsyncSsh } from './rsync.ts'
import { webtorrent } from './webtorrent.ts'

export const contenders: Record<string, Contender> = {
  murder,
  libtorrent,
  'libtorrent-super': libtorrentSuper,
  webtorrent,
  aria2,
  rsync: rsyncDaemon,
  'rsync-ssh': rsyncSsh,
  bounce,
}
