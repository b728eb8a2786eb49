import { ExitCode, MurderError } from '../../../errors.ts'

/** Throws NOTHING_TO_PUBLISH. */
export function nothingToPublish(why: string, cure: string): MurderError {
  return new MurderError('NOTHING_TO_PUBLISH', `Nothing to publish: ${why}`, {
    exitCode: ExitCode.usage,
    cure,
  })
}

/**
 * Whether `name` is a directory name in `releases` that is not hidden (those are half made), and has no line breaks or tabs,
 * which the history uses.
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
