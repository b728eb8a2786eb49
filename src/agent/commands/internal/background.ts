import { type Command, usageError } from '../../cli/arguments.ts'
import { end } from '../../cli/output.ts'
import { readStdin } from '../../options/torrent-input.ts'
import { decodeJob } from '../../runs/job.ts'
import { readState } from '../../runs/run-directory.ts'
import { work } from '../../workers/worker.ts'

/** A torrent of 64 MiB in base64, and the rest of the job. */
const LIMIT_BYTES = 100 * 1024 * 1024

export const command: Command = {
  help: 'murder background: started by murder itself',
  positionals: ['<run folder>'],
  flags: {},
  async run({ positionals: [folder = ''] }) {
    const job = decodeJob((await readStdin(LIMIT_BYTES, 'the job')).toString('utf8'))
    const state = readState(folder)
    if (!state) throw usageError(`${folder} is not the folder of a run`)
    const stop = new AbortController()
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop.abort())
    process.on('uncaughtExceptionMonitor', (error) => console.error(error)) // into the run's log
    process.on('SIGHUP', () => {}) // it goes on when the terminal closes
    await work(job, { folder, state }, { stop: stop.signal })
    return end(0)
  },
}
