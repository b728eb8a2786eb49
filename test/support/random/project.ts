import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { IGNORES, KEPT_RELEASES } from './server.ts'

const AUTHOR = ['-c', 'user.name=somebody', '-c', 'user.email=somebody@example.com']

/** shipit-deploy alone asks git for a revision. Gives GIT_DIR. */
export function makeRepository(under: string): string {
  const repository = join(under, 'plain-repository')
  execFileSync('git', ['init', '-q', '-b', 'master', repository])
  execFileSync('git', [...AUTHOR, '-C', repository, 'commit', '-q', '--allow-empty', '-m', 'nothing'])
  return join(repository, '.git')
}

export const CONFIG = { ignores: IGNORES, keepReleases: KEPT_RELEASES }

/** Code of a shipitfile: PLAIN leaves the plugin out, BREAK names an event whose listener throws. */
export const plainCode = (config: object) =>
  `if (process.env.PLAIN) return void shipit.initConfig(${JSON.stringify({ default: {}, test: config, production: config })})`
export const BREAK_CODE = `if (process.env.BREAK) shipit.on(process.env.BREAK, () => { throw new Error('broken') })`

/** Stands for Node on a server. */
export const nodeScript = (isBroken: boolean) =>
  `#!/bin/sh\n${isBroken ? 'exit 1' : `exec '${process.execPath}' "$@"`}\n`
