import { quote, quotePath } from '../../../text/shell-quote.ts'
import { releasesPath } from '../../paths/server-paths.ts'
import { type Author, noteScript } from './history-script.ts'

/** Prints a release as a tar archive, in base64, because output is read as lines. */
export const readReleaseScript = (releases: string, release: string) =>
  `cd ${quotePath(releases)}/${quote(release)} && { tar cf - . || kill $$; } | base64`

/** Unpacks the archive on standard input beside the release, which appears when it is complete and on the disk. */
export const writeReleaseScript = (deployTo: string, release: string, author: Author) =>
  `mkdir -p ${quotePath(releasesPath(deployTo))} && cd ${quotePath(releasesPath(deployTo))} || exit 1
${noteScript(deployTo, author, 'receiving', release)}
p=${quote(`.${release}.partial`)}
trap 'chmod -R u+rwx "$p" 2>/dev/null; rm -rf "$p"' EXIT
rm -rf "$p" && mkdir "$p" && tar xpf - -C "$p" || exit 1
{ sync -f "$p" || sync; } 2>/dev/null
mv "$p" ${quote(release)}`
