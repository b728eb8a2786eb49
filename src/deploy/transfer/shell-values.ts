import { ExitCode, MurderError } from '../../errors.ts'
import type { Shipit } from '../../shipit.ts'

/** What a shell would do something with; and a leading dash, which git would. */
const OBEYED = /[\s`$\\;&|<>()'"\0]|^-/

/**
 * shipit-deploy's own `deploy:fetch` puts these into commands as they are. Whoever can name a branch must not thereby run
 * commands on the deploy host. Throws UNSAFE_VALUE.
 */
export function checkShellValues({ config }: Pick<Shipit, 'config'>): void {
  for (const name of ['branch', 'repositoryUrl'] as const) {
    const value = config[name]
    if (value === undefined || !OBEYED.test(value)) continue
    throw new MurderError(
      'UNSAFE_VALUE',
      `${name} is ${JSON.stringify(value)}, which a shell would not take as it is`,
      {
        exitCode: ExitCode.usage,
        cure: 'use a name without spaces, quotes, backslashes, a leading dash and any of ` $ ; & | < > ( )',
      },
    )
  }
}
