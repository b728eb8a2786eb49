import { createHmac, randomBytes } from 'node:crypto'

/** Stands in an announce URL for the key, which each agent derives from its secret. So no URL holds anything secret. */
const PLACEHOLDER = '{secret}'

/** A new secret for one swarm: 256 random bits as text. */
export const newSecret = (): string => randomBytes(32).toString('hex')

/** The key for one purpose. It reveals neither the secret nor another key. */
export function keyOf(secret: string, purpose: 'peers' | 'tracker' | 'page'): Buffer {
  return createHmac('sha256', secret).update(`murder ${purpose}`).digest()
}

/** The tracker's key as a part of an announce URL's path. */
export const trackerPath = (secret: string): string => keyOf(secret, 'tracker').toString('base64url')

/** The announce URL with the key in it. The URL of a foreign tracker has no placeholder and stays as it is. */
export function withSecret(url: string, secret: string | undefined): string {
  return secret === undefined ? url : url.replace(PLACEHOLDER, trackerPath(secret))
}

/** The path of an announce URL. `isSecret`: whether the tracker asks for a key. */
export const announcePath = (isSecret: boolean): string =>
  isSecret ? `/${PLACEHOLDER}/announce` : '/announce'
