/** `deploy@web12.eu.example.com:2222` in parts. */
function partsOf(label: string): { user: string; host: string; port: string } {
  const [, user = '', host = label, port = ''] = /^(?:([^@]*)@)?(.*?)(?::(\d+))?$/s.exec(label) ?? []
  return { user, host, port }
}

const isAddress = (host: string) => /^[\d.]+$/.test(host) || host.includes(':')

/** Names without their common parts: the user, the port, the end of the domain. */
export function shortNames(labels: readonly string[]): string[] {
  const parts = labels.map(partsOf)
  const [first] = parts
  if (!first || parts.length < 2) return labels.map((label) => partsOf(label).host || label)
  const hasOneUser = parts.every(({ user }) => user === first.user)
  const hasOnePort = parts.every(({ port }) => port === first.port)
  const hosts = parts.map(({ host }) => host)
  const hasOneHost = hosts.every((host) => host === first.host)
  const tail = hasOneHost || hosts.some(isAddress) ? 0 : commonTail(hosts.map((host) => host.split('.')))
  return parts.map(({ user, host, port }) => {
    const name = tail > 0 ? host.split('.').slice(0, -tail).join('.') : host
    const shown = hasOneHost && !hasOnePort ? '' : name
    return `${hasOneUser || user === '' ? '' : `${user}@`}${shown}${hasOnePort || port === '' ? '' : `:${port}`}`
  })
}

/** How many labels at the end all names share, without using up any name. */
function commonTail(all: string[][]): number {
  const [first = []] = all
  const most = Math.min(...all.map((labels) => labels.length)) - 1
  for (let tail = most; tail > 0; tail--) {
    const end = first.slice(-tail).join('.')
    if (all.every((labels) => labels.slice(-tail).join('.') === end)) return tail
  }
  return 0
}

/** Servers of one kind at one place: `web` of `web12` and its domain, or the network of an address. */
export function kindOf(label: string): string {
  const { host } = partsOf(label)
  if (/^\d+(\.\d+){3}$/.test(host)) return host.split('.').slice(0, 3).join('.')
  const [name = '', ...site] = host.split('.')
  return [name.replace(/[-_]?\d+$/, '') || name, ...site].join('.')
}

const collator = new Intl.Collator('en', { numeric: true })

/** `web2` before `web10`. */
export const byName = (one: string, other: string): number => collator.compare(one, other)
