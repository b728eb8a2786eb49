import { spawnSync } from 'node:child_process'
import { MurderError } from '../../src/errors.ts'

/** Throws NO_PROGRAM when git or ssh is missing, which would otherwise fail in the middle. */
export function checkPrograms(): void {
  for (const [program, flag, cure] of [
    ['git', '--version', 'install git'],
    ['ssh', '-V', 'install the OpenSSH client'],
  ] as const) {
    const { error } = spawnSync(program, [flag], { stdio: 'ignore' })
    if (error) throw new MurderError('NO_PROGRAM', `${program} does not run: ${error.message}`, { cure })
  }
}
