import { type Entry, nameOf } from '../../files/entry.ts'

/** Names of files that are compressed in themselves: images, sound, films, archives, fonts, documents made of them. */
const DENSE =
  /\.(?:7z|ace|apk|avif|br|bz2|cab|deb|docx|epub|flac|gif|gz|heic|jar|jpe?g|jxl|lz[4o]?|lzma|m4[av]|mkv|mov|mp[34]|mpe?g|od[pst]|og[agv]|opus|png|pptx|rar|rpm|tbz2?|tgz|txz|war|web[mp]|whl|woff2?|xlsx|xz|zip|zst)$/i

/**
 * The entries in the order of the package: that of `entries`, with what does not compress last. Between two images a compressor finds
 * nothing of the text before them any more.
 */
export function packageOrder(entries: readonly Entry[]): Entry[] {
  const isDense = ({ type, path }: Entry) => type === 'file' && DENSE.test(nameOf(path))
  return [...entries.filter((entry) => !isDense(entry)), ...entries.filter(isDense)]
}
