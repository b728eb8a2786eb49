import { readdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { explain } from '../../errors.ts'
import type { Picture } from '../../page/model/picture.ts'
import { writePicture } from '../../page/serve/write-picture.ts'
import { defined } from '../../system/defined.ts'
import type { Context } from '../context/context.ts'
import { logsDirectory } from '../paths/local-paths.ts'
import type { RunReport } from './run-report.ts'

const KEPT_PICTURES = 20
/** Private like a log: it has names of servers and their messages. */
const PRIVATE_MODE = 0o600
const REPORT_MODE = 0o666
const ENDING = '.html'

/** Whether MURDER_REPORT asks for a picture and not for JSON. */
export const isPicture = (file: string): boolean => /\.html?$/i.test(file)

/** Adds how the run has ended. */
export function endPicture(
  { picture, leftOut }: Pick<Context, 'leftOut' | 'picture'>,
  report: RunReport,
): void {
  const { release, error, exitCode, published, size, seederUploaded } = report
  const outcome = exitCode !== 0 ? 'failed' : published ? 'published' : 'done'
  picture.seeder(seederUploaded)
  for (const { server, step, cause, cure } of leftOut)
    picture.take({ event: 'failed', server, step, cause, ...defined({ cure }) })
  picture.end({ release, outcome, ...(size > 0 ? { size } : {}), ...(error === null ? {} : { error }) })
}

/**
 * Keeps the picture of a deploy beside its log, and puts one where MURDER_REPORT wants it. A failure here does not fail the run.
 */
export function savePicture(
  { shipit, picture, log, again, resumed }: Pick<Context, 'again' | 'log' | 'picture' | 'resumed' | 'shipit'>,
  { isDeploy, release, begun }: { isDeploy: boolean; release: string | null; begun: string },
  env: NodeJS.ProcessEnv = process.env,
): void {
  const wanted = env.MURDER_REPORT && isPicture(env.MURDER_REPORT) ? env.MURDER_REPORT : undefined
  const plain = withoutSecrets(picture.picture, (text) => log.redacted(text))
  // A run that goes on with the release of an earlier deploy does not replace that deploy's picture.
  const isOwn = release !== null && again === undefined && resumed === undefined
  const name = isOwn ? release : begun.replace(/\D/g, '').slice(0, 14)
  const kept = join(logsDirectory(), `${encodeURIComponent(name)}${ENDING}`)
  try {
    if (wanted !== undefined) writePicture(wanted, plain, REPORT_MODE)
    if (!isDeploy) return
    writePicture(kept, plain, PRIVATE_MODE)
    removeOld()
    shipit.log(`Picture of this deploy: ${relative('', kept)}`)
  } catch (error) {
    shipit.log(`The picture of this run could not be written: ${explain(error)}`)
  }
}

function removeOld(): void {
  const names = readdirSync(logsDirectory()).filter((name) => name.endsWith(ENDING))
  for (const name of names.sort().slice(0, -KEPT_PICTURES))
    rmSync(join(logsDirectory(), name), { force: true })
}

/** Secrets in texts from servers and errors are hidden, as in a log. */
function withoutSecrets({ run, servers, samples }: Picture, redact: (text: string) => string): Picture {
  return {
    run: run.error === undefined ? run : { ...run, error: redact(run.error) },
    servers: servers.map((server) => {
      const { failure } = server
      if (!failure) return server
      const { step, cause, cure } = failure
      return {
        ...server,
        failure: { step, cause: redact(cause), ...(cure === undefined ? {} : { cure: redact(cure) }) },
      }
    }),
    samples,
  }
}
