/** What is wrong with a name in a torrent, as the rest of a sentence. */
export function nameFault(name: string): string | undefined {
  if (name.includes('\0')) return 'holds a NUL byte'
  if (name === '' || name === '.' || name === '..' || name.includes('/')) return 'would leave the directory'
  return undefined
}
