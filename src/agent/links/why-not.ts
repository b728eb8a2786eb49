import { lastWords } from '../../text/last-words.ts'

/** What ssh itself says when it fails before it runs a command. */
const OF_SSH = /^ssh:|^kex_|Connection |Could not|Bad |timed out|not found in|no matching/i

/** With this server's own key, or with the SSH agent that the user forwards. */
export type Login = 'key' | 'agent'

const ASKED_FOR: Record<Login, string> = { key: 'the command of the key', agent: 'what is asked for' }
const NOT_LET_IN: Record<Login, string> = {
  key: 'sshd does not take a key from ~/.ssh/authorized_keys',
  agent: 'sshd takes no key of the SSH agent that is forwarded',
}

/** Why ssh failed, found in its output, as part of a sentence. `otherwise` where the output is empty. */
export function whyNot(said: string, otherwise: string, login: Login = 'key'): string {
  if (/\bssh: (not found|Permission denied)\s*$/m.test(said)) return 'there is no ssh to connect with'
  if (/Permission denied/.test(said)) return NOT_LET_IN[login]
  if (/Too many authentication failures/.test(said))
    return 'sshd tries no more keys of the SSH agent that is forwarded (MaxAuthTries)'
  if (/Host key verification failed|REMOTE HOST IDENTIFICATION/.test(said))
    return 'its host key is not the one that the deploy host knows'
  const last = lastWords(said)?.replace(/^murder: /, '')
  if (last?.includes('AcceptEnv')) return last
  if (last !== undefined && OF_SSH.test(last)) return last
  if (/no deploy is running/.test(said)) return 'the agent there has ended'
  return `sshd runs something else than ${ASKED_FOR[login]} (ForceCommand?): ${last ?? otherwise}`
}
