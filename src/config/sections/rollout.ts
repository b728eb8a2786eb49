import * as z from 'zod'
import * as numbers from '../kinds/numbers.ts'
import * as rollouts from '../kinds/rollout.ts'
import { setting } from './setting.ts'

const local = z.strictObject({
  beforeGroup: setting(rollouts.shell.schema.optional(), rollouts.shell, {
    description:
      'Command on the deploy host before each group, with the hosts of the group in `$MURDER_HOSTS`.',
    example: './balancer drain $MURDER_HOSTS',
    unset: 'none',
  }),
  afterGroup: setting(rollouts.shell.schema.optional(), rollouts.shell, {
    description:
      'Command on the deploy host after each group, in each case in which `beforeGroup` has begun.',
    example: './balancer undrain $MURDER_HOSTS',
    unset: 'none',
  }),
  check: setting(rollouts.shell.schema.optional(), rollouts.shell, {
    description:
      'Command on the deploy host that must succeed after each group, and as long as the group is watched: a query of the error rate, for example.',
    example: './error-rate --below 1%',
    unset: 'none',
  }),
})

export const rollout = z.strictObject({
  groups: setting(rollouts.groups.schema.optional(), rollouts.groups, {
    description:
      'In which groups the servers are published: how many are done after each of them, or one for each role or site (docs/rollout.md).',
    example: [1, '10%', '100%'],
    unset: 'as batch says',
  }),
  before: setting(rollouts.commands.schema.optional(), rollouts.commands, {
    description:
      'Command on each server before it is published, which takes it out of the balancer for example; or one for each role.',
    example: './drain',
    unset: 'none',
  }),
  after: setting(rollouts.commands.schema.optional(), rollouts.commands, {
    description:
      'Command on each server when it is done, in each case in which `before` has begun there; or one for each role.',
    example: './undrain',
    unset: 'none',
  }),
  local: local.prefault({}),
  healthCheck: setting(rollouts.commands.schema.optional(), rollouts.commands, {
    description:
      'Shell command that must succeed on every server of a group after it was published, run in the directory `current`; or one for each role. May also be written `healthCheck`.',
    example: 'curl -fsS http://localhost:8080/health',
    unset: 'none',
  }),
  watch: setting(numbers.seconds.schema.default(0), numbers.seconds, {
    description:
      'Seconds during which `healthCheck` and `local.check` must go on succeeding before the next group begins.',
    example: 60,
  }),
  confirm: setting(numbers.seconds.schema.default(0), numbers.seconds, {
    description:
      'Seconds in which a new SSH connection must reach a server that was published: otherwise, and when the deploy is cut off or killed, a guard there goes back by itself (docs/rollout.md); 0 for no guard. May also be written `confirm`.',
    example: 30,
  }),
  undo: setting(rollouts.commands.schema.optional(), rollouts.commands, {
    description:
      'Command on each server that has gone back, after `activate`: what takes back more than a symlink, such as a rule of the firewall; or one for each role. May also be written `undo`.',
    example: './open-firewall',
    unset: 'none',
  }),
  pause: setting(rollouts.pause.schema.default(0), rollouts.pause, {
    description: 'Seconds between two groups, or `ask`.',
    example: 30,
  }),
  revert: setting(rollouts.revert.schema.default(true), rollouts.revert, {
    description:
      'What goes back to what it had when publishing, or the health check, fails on a server. May also be written `revert`.',
    example: 'group',
  }),
})
