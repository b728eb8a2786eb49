import { formatAddress } from '../../system/addresses.ts'
import { announcePath } from '../access/secret.ts'

/** With a secret, its path has a placeholder for the key, which agents fill in when they announce. */
export const announceUrl = (host: string, port: number, isSecret = false) =>
  `http://${formatAddress(host, port)}${announcePath(isSecret)}`

/** Whether agents can announce at a URL. They speak HTTP, not the UDP of BEP 15. */
export const isTracker = (url: string) => /^https?:\/\/[^\s/]+/.test(url) && URL.canParse(url)
