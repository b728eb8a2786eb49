import { ExitCode, MurderError } from '../../../errors.ts'
import type { Shipit } from '../../../shipit.ts'

/** Characters that mean something to a shell, and a leading dash, which means something to git. */
const SPECIAL = /[\s`$\\;&|<>()'"\0]|^-/

/**
 * shipit-deploy's own `deploy:fetch` puts these into commands as they are. A person who may name a branch must not be able to run
 * commands on the deploy host. Throws UNSAFE_VALUE.
 */
export function checkShellValues({ config }: Pick<Shipit, 'config'>): void {
  for (const name of ['branch', 'repositoryUrl'] as const) {
    const value = config[name]
    if (value === undefined || !SPECIAL.test(value)) continue
    const message = `${name} is ${JSON.stringify(value)}, which a shell would not take as it is`
    throw new MurderError('UNSAFE_VALUE', message, {
      exitCode: ExitCode.usage,
      cure: 'use a name without spaces, quotes, backslashes, a leading dash and any of ` $ ; & | < > ( )',
    })
  }
}
