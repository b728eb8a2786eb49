import { ExitCode, MurderError } from '../../../errors.ts'

/** Throws NOTHING_TO_PUBLISH. */
export function nothingToPublish(why: string, cure: string): MurderError {
  return new MurderError('NOTHING_TO_PUBLISH', `Nothing to publish: ${why}`, {
    exitCode: ExitCode.usage,
    cure,
  })
}

/**
 * Whether it names one directory in `releases`. Hidden ones are half made; the history has lines, with tabs in them.
 */
const isReleaseName = (release: unknown): release is string =>
  typeof release === 'string' && /^[^./\p{Cc}][^/\p{Cc}]*$/u.test(release)

/** A shipitfile may set anything as the name. Throws NOTHING_TO_PUBLISH. */
export function checkReleaseName(release: unknown): string {
  if (isReleaseName(release)) return release
  throw nothingToPublish(
    `${JSON.stringify(release)} is no name of a release`,
    'let deploy:update, rollback:init or the shipitfile set shipit.releaseDirname',
  )
}
