import { generateKeyPairSync, randomBytes } from 'node:crypto'

const TYPE = 'ssh-ed25519'
/** Blocks that the private part is filled up to, without a cipher. */
const BLOCK_BYTES = 8

/** An ed25519 key pair as OpenSSH takes it: the private half as the text of a file, the public one as type and key. */
export interface KeyPair {
  privateKey: string
  publicKey: string
}

/** OpenSSH reads ed25519 only in its own format before 9.6 (PROTOCOL.key in its source). */
export function makeKeyPair(): KeyPair {
  const { x = '', d = '' } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
  const [point, seed] = [Buffer.from(x, 'base64url'), Buffer.from(d, 'base64url')]
  const publicBlob = Buffer.concat([text(TYPE), text(point)])
  const check = randomBytes(4)
  const secret = Buffer.concat([
    check,
    check,
    publicBlob,
    text(Buffer.concat([seed, point])),
    text('shipit-murder'),
  ])
  const filling = Buffer.from(
    Array.from({ length: (BLOCK_BYTES - (secret.length % BLOCK_BYTES)) % BLOCK_BYTES }, (_, at) => at + 1),
  )
  const file = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    ...['none', 'none', ''].map(text),
    Buffer.from([0, 0, 0, 1]),
    text(publicBlob),
    text(Buffer.concat([secret, filling])),
  ])
  const lines = file.toString('base64').replace(/.{70}/g, '$&\n')
  const [begin, end] = ['BEGIN', 'END'].map((word) => `-----${word} OPENSSH PRIVATE KEY-----`)
  return {
    privateKey: `${begin}\n${lines.trimEnd()}\n${end}\n`,
    publicKey: `${TYPE} ${publicBlob.toString('base64')}`,
  }
}

/** A string of the SSH protocol (RFC 4251): its length, then its bytes. */
function text(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string)
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}
