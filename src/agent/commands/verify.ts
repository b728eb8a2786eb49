import { resolve } from 'node:path'
import { ExitCode } from '../../errors.ts'
import { bytes } from '../../report/format.ts'
import { verifyContent } from '../../torrent/verify.ts'
import type { Command } from '../arguments.ts'
import { onInterrupt } from '../interrupt.ts'
import { printOut } from '../output.ts'
import { progressLine } from '../progress.ts'
import { checkKind } from '../target.ts'
import { readTorrent } from '../torrent-input.ts'

const help = `murder verify <torrent> <file|directory>

  murder verify data.torrent /data

Compares what is here with the torrent and says for every file: same, different or missing. Changes nothing.
Exit code 0 only when all are the same. "-" reads the torrent from standard input.

  --json                one JSON object a file: {"path", "state"}`

export const command: Command = {
  help,
  positionals: ['<torrent>', '<file|directory>'],
  flags: { json: { type: 'boolean' } },
  async run(args) {
    const [torrent = '', target = ''] = args.positionals
    const { metainfo } = await readTorrent(torrent)
    const path = resolve(target)
    checkKind(path, metainfo)
    const progress = progressLine()
    const files = await verifyContent(metainfo, path, {
      signal: onInterrupt().signal,
      onProgress: (done, total) => progress.show(() => `checked ${bytes(done)} of ${bytes(total)}`),
    })
    progress.clear()
    for (const file of files) {
      printOut(args.has('json') ? JSON.stringify(file) : `${file.state.padEnd(9)}  ${file.path}`)
    }
    const same = files.filter(({ state }) => state === 'same').length
    if (!args.has('json')) console.error(`${same} of ${files.length} files are the same`)
    return same === files.length ? ExitCode.done : ExitCode.failed
  },
}
