import { Transform } from 'node:stream'

/**
 * A path that means another directory on each server. The servers share this machine's file system, but a shipitfile has one
 * `deployTo` for all of them. So each server replaces `shared` by `own` in commands and their input. The two are equally
 * long, so that no other byte moves: the input may be binary.
 */
export interface OwnPath {
  shared: string
  own: string
}

export function translateText(text: string, { shared, own }: OwnPath): string {
  return text.replaceAll(shared, own)
}

/** The same for a stream, even where the path is split over chunks. Only bytes that may begin the path are held back. */
export function translateStream({ shared, own }: OwnPath): Transform {
  const from = Buffer.from(shared)
  const to = Buffer.from(own)
  let held: Buffer = Buffer.alloc(0)
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const bytes = Buffer.concat([held, chunk])
      for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + to.length))
        to.copy(bytes, at)
      const whole = bytes.length - beginning(bytes, from)
      held = bytes.subarray(whole)
      done(null, bytes.subarray(0, whole))
    },
    flush(done) {
      done(null, held)
    },
  })
}

/** How many bytes at the end of `bytes` are a beginning of `path`. */
function beginning(bytes: Buffer, path: Buffer): number {
  for (let length = Math.min(bytes.length, path.length - 1); length > 0; length--) {
    if (bytes.subarray(-length).equals(path.subarray(0, length))) return length
  }
  return 0
}
