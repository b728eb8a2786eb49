import { groupNames, type Names, userNames } from './owners.ts'

/** The users and groups that ACLs name, by the number that they have where the manifest was made. */
export interface AclNames {
  users: Map<number, string>
  groups: Map<number, string>
}

/** As the kernel gives it (posix_acl_xattr.h), in base64: a version of 4 bytes, then entries of tag, rights and number. */
const HEADER_BYTES = 4
const ENTRY_BYTES = 8
const TAG = { user: 2, group: 8 } as const

const isAcl = (attribute: string) => attribute.startsWith('system.posix_acl_')

interface AclEntry {
  tag: number
  rights: number
  id: number
}

/** Undefined for a value that is not an ACL in this format. */
function parse(value: string): { header: Buffer; entries: AclEntry[] } | undefined {
  const bytes = Buffer.from(value, 'base64')
  if (bytes.length < HEADER_BYTES || (bytes.length - HEADER_BYTES) % ENTRY_BYTES !== 0) return undefined
  const entries: AclEntry[] = []
  for (let at = HEADER_BYTES; at < bytes.length; at += ENTRY_BYTES)
    entries.push({
      tag: bytes.readUInt16LE(at),
      rights: bytes.readUInt16LE(at + 2),
      id: bytes.readUInt32LE(at + 4),
    })
  return { header: bytes.subarray(0, HEADER_BYTES), entries }
}

function format(header: Buffer, entries: AclEntry[]): string {
  const bytes = Buffer.alloc(HEADER_BYTES + entries.length * ENTRY_BYTES)
  header.copy(bytes)
  for (const [index, { tag, rights, id }] of entries.entries()) {
    const at = HEADER_BYTES + index * ENTRY_BYTES
    bytes.writeUInt16LE(tag, at)
    bytes.writeUInt16LE(rights, at + 2)
    bytes.writeUInt32LE(id, at + 4)
  }
  return bytes.toString('base64')
}

/** The names that this machine has for the users and groups in the ACLs of all these attributes; undefined if none. */
export function aclNames(attributes: Iterable<Record<string, string>>): AclNames | undefined {
  const names: AclNames = { users: new Map(), groups: new Map() }
  const [users, groups] = [userNames(), groupNames()]
  const note = (known: Names, into: Map<number, string>, id: number) => {
    const name = known.nameOf(id)
    if (name !== undefined) into.set(id, name)
  }
  for (const xattrs of attributes)
    for (const [attribute, value] of Object.entries(xattrs))
      for (const { tag, id } of isAcl(attribute) ? (parse(value)?.entries ?? []) : []) {
        if (tag === TAG.user) note(users, names.users, id)
        if (tag === TAG.group) note(groups, names.groups, id)
      }
  return names.users.size + names.groups.size > 0 ? names : undefined
}

/**
 * Gives the ACLs among extended attributes the numbers of this machine: users and groups are taken by name where it knows the
 * name, else by number, as owners are.
 */
export function localizer(
  names: AclNames | undefined,
): (xattrs: Record<string, string>) => Record<string, string> {
  if (!names) return (xattrs) => xattrs
  const [users, groups] = [userNames(), groupNames()]
  const local = (known: Names, foreign: Map<number, string>, id: number) =>
    known.idOf(foreign.get(id) ?? '') ?? id
  const localize = (value: string) => {
    const acl = parse(value)
    if (!acl) return value
    const entries = acl.entries.map((entry) => {
      if (entry.tag === TAG.user) return { ...entry, id: local(users, names.users, entry.id) }
      if (entry.tag === TAG.group) return { ...entry, id: local(groups, names.groups, entry.id) }
      return entry
    })
    // In the order in which programs write them, so that equal ACLs are equal bytes.
    return format(
      acl.header,
      entries.sort((a, b) => a.tag - b.tag || a.id - b.id),
    )
  }
  return (xattrs) =>
    Object.fromEntries(
      Object.entries(xattrs).map(([name, value]) => [name, isAcl(name) ? localize(value) : value]),
    )
}
