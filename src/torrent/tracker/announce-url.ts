import { announcePath } from '../access/secret.ts'
/** With a secret, its key has a place in the path: agents put it in when they announce. */
export const announceUrl = (host: string, port: number, isSecret = false) =>
  `http://${hostPort(host, port)}${announcePath(isSecret)}`

export const hostPort = (host: string, port: number) => `${isV6(host) ? `[${host}]` : host}:${port}`

/** Whether agents can announce at a URL: they speak HTTP, and not the UDP of BEP 15. */
export const isTracker = (url: string) => /^https?:\/\/[^\s/]+/.test(url) && URL.canParse(url)

const isV6 = (host: string) => host.includes(':')
