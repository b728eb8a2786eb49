import * as z from 'zod'
import * as notices from '../kinds/notify.ts'
import * as rollouts from '../kinds/rollout.ts'
import { setting } from './setting.ts'

export const notify = z.strictObject({
  url: setting(notices.webhook.schema.optional(), notices.webhook, {
    description:
      'Webhook that gets JSON, as Slack takes it, when something of `on` happens; keep it in the variable `MURDER_NOTIFY_URL`.',
    example: 'https://hooks.example.com/services/T0/B0/x',
    unset: 'none',
  }),
  command: setting(rollouts.shell.schema.optional(), rollouts.shell, {
    description: 'Command on the deploy host that gets the same JSON on standard input.',
    example: './tell-team',
    unset: 'none',
  }),
  on: setting(
    notices.occasions.schema.default(['started', 'published', 'failed', 'reverted', 'rolledBack']),
    notices.occasions,
    { description: 'Of what others are told.', example: ['failed', 'reverted'] },
  ),
})
