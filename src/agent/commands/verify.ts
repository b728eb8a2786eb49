import { resolve } from 'node:path'
import { ExitCode } from '../../errors.ts'
import { defined } from '../../system/defined.ts'
import type { Command } from '../cli/arguments.ts'
import { onInterrupt } from '../cli/interrupt.ts'
import { printError, printJson, printOut } from '../cli/output.ts'
import { progressLine, shareDone } from '../cli/progress-line.ts'
import { verifyTarget } from '../manifest/verify-directory.ts'
import { checkKind } from '../options/target.ts'
import { readTorrent } from '../options/torrent-input.ts'

const HELP = `murder verify <torrent> <file|directory>

  murder verify data.torrent /data

Compares what is here with the torrent and says for every file: same, different or missing; of a directory also its
attributes, if they came with it. Changes nothing. Exit code 0 only when all are the same. "-" reads the torrent from
standard input.

  --no-attributes       compare the content of files only
  --json                one JSON object a file: {"path", "state", "differences"}`

export const command: Command = {
  help: HELP,
  positionals: ['<torrent>', '<file|directory>'],
  flags: { json: { type: 'boolean' }, 'no-attributes': { type: 'boolean' } },
  async run(args) {
    const [torrent = '', target = ''] = args.positionals
    const { metainfo } = await readTorrent(torrent)
    const path = resolve(target)
    checkKind(path, metainfo)
    const progress = progressLine()
    const all = await verifyTarget(metainfo, path, {
      attributes: !args.has('no-attributes'),
      signal: onInterrupt().signal,
      onProgress: (done, total) => progress.show((columns) => shareDone('checked', done, total, columns)),
    })
    progress.clear()
    for (const { path, state, differences } of all) {
      const why = differences ? ` (${differences.join('; ')})` : ''
      if (args.has('json')) printJson({ path, state, ...defined({ differences }) })
      else printOut(`${state.padEnd(9)}  ${path.replaceAll('\n', ' ')}${why}`)
    }
    const same = all.filter(({ state }) => state === 'same').length
    if (!args.has('json')) printError(`${same} of ${all.length} are the same`)
    return same === all.length ? ExitCode.done : ExitCode.failed
  },
}
