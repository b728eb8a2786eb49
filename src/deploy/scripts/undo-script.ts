import { quotePath } from '../../text/shell-quote.ts'

/**
 * Ends the processes that unpack a transfer, then removes its directory, the half-made release and, if wanted, the whole one. It
 * waits for the processes, which would write on into what is being removed. Files named after their pids tell which they are; the
 * command line is compared because a pid may belong to another program by now.
 */
export function undoScript(o: {
  directory: string
  releases: string
  tag: string
  withRelease: boolean
}): string {
  const directory = quotePath(o.directory)
  return `for f in ${directory}/receive-*; do
  p="\${f##*-}"; n=0
  c=$({ tr "\\0" " " <"/proc/$p/cmdline" || ps -o args= -p "$p"; } 2>/dev/null)
  case "$c" in *murder*receive*) ;; *) continue ;; esac
  kill "$p" 2>/dev/null
  while kill -0 "$p" 2>/dev/null && [ "$n" -lt 50 ]; do n=$((n + 1)); sleep 0.1 2>/dev/null || sleep 1; done
  kill -9 "$p" 2>/dev/null
done
rm -rf ${directory} ${quotePath(`${o.releases}/.${o.tag}.partial`)} || exit 1
${o.withRelease ? `rm -rf ${quotePath(`${o.releases}/${o.tag}`)}` : ''}`
}

/** The directory of a transfer is the lease of its peer: a peer that is left ends without it. */
export const removeTransferScript = (directory: string) => `rm -rf ${quotePath(directory)}`
