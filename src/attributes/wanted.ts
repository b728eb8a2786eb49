import type { BigIntStats } from 'node:fs'
import type { TreeEntry } from './entry.ts'
import { groupNames, userNames } from './owners.ts'

/** Owner and mode that an entry is to have on this machine, for this user. */
export interface Wanted {
  uid: number
  gid: number
  mode: number
}

/** Bits that let a program run as its owner or its group. */
const SETUID = 0o4000
const SETGID = 0o2000

/**
 * The owner is taken by name where this machine knows the name, else by number, as tar and rsync do. Only root can give files
 * away; other users can choose among their own groups. Setuid and setgid are set only together with the owner they are for.
 */
export function wanter(): (entry: TreeEntry, now: BigIntStats) => Wanted {
  const [users, groups] = [userNames(), groupNames()]
  const isRoot = process.geteuid?.() === 0
  const ownGroups = new Set(process.getgroups?.() ?? [])
  return (entry, now) => {
    const meant = {
      uid: (entry.uname === undefined ? undefined : users.idOf(entry.uname)) ?? entry.uid,
      gid: (entry.gname === undefined ? undefined : groups.idOf(entry.gname)) ?? entry.gid,
    }
    const uid = isRoot ? meant.uid : Number(now.uid)
    const gid = isRoot || ownGroups.has(meant.gid) ? meant.gid : Number(now.gid)
    const unsafe = (uid === meant.uid ? 0 : SETUID) | (gid === meant.gid ? 0 : SETGID)
    return { uid, gid, mode: entry.mode & ~unsafe }
  }
}

/** Equal to the microsecond: without Python, times are not set more exactly. */
export const sameTime = (a: bigint, b: bigint) => a / 1000n === b / 1000n
