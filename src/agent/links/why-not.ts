import { lastWords } from '../../text/last-words.ts'

/** What ssh itself says when it does not get as far as to a command. */
const OF_SSH = /^ssh:|^kex_|Connection |Could not|Bad |timed out|not found in|no matching/i

/** Why ssh has failed, by all that it has said, as part of a sentence; `otherwise` where it has said nothing. */
export function whyNot(said: string, otherwise: string): string {
  if (/Permission denied/.test(said)) return 'sshd does not take a key from ~/.ssh/authorized_keys'
  if (/Host key verification failed|REMOTE HOST IDENTIFICATION/.test(said))
    return 'its host key is not the one that the deploy host knows'
  if (/\bssh: not found/.test(said)) return 'there is no ssh to connect with'
  const last = lastWords(said)?.replace(/^murder: /, '')
  if (last?.includes('AcceptEnv')) return last
  if (last !== undefined && OF_SSH.test(last)) return last
  if (/no deploy is running/.test(said)) return 'the agent there has ended'
  return `sshd runs something else than the command of the key (ForceCommand?): ${last ?? otherwise}`
}
