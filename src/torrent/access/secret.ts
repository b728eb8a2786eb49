import { createHmac, randomBytes } from 'node:crypto'

/** What stands in an announce URL for the key that an agent makes of its secret: so no URL holds anything secret. */
const PLACEHOLDER = '{secret}'

/** A swarm's own secret, 256 random bits as text. */
export const newSecret = (): string => randomBytes(32).toString('hex')

/** A key for one purpose; whoever learns one of them learns neither the secret nor the other. */
export function keyOf(secret: string, purpose: 'peers' | 'tracker'): Buffer {
  return createHmac('sha256', secret).update(`murder ${purpose}`).digest()
}

/** The part of an announce URL's path that a tracker's key stands in. */
export const trackerPath = (secret: string): string => keyOf(secret, 'tracker').toString('base64url')

/** The announce URL as it is sent. One without the placeholder, that of a tracker elsewhere, stays as it is. */
export function withSecret(url: string, secret: string | undefined): string {
  return secret === undefined ? url : url.replace(PLACEHOLDER, trackerPath(secret))
}

/** The path of an announce URL, of an open tracker or of one that asks for a key. */
export const announcePath = (isSecret: boolean): string =>
  isSecret ? `/${PLACEHOLDER}/announce` : '/announce'
