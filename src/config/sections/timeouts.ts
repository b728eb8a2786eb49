import * as z from 'zod'
import * as numbers from '../kinds/numbers.ts'
import { setting } from './setting.ts'

export const timeouts = z.strictObject({
  connect: setting(numbers.seconds.schema.default(10), numbers.timeout, {
    description:
      'Seconds to wait for an SSH connection, and for a peer to find the swarm where its way was not tried beforehand, as `reach` does when it is `auto`; where it was, `stall` alone counts.',
    example: 20,
  }),
  stall: setting(numbers.seconds.schema.default(60), numbers.timeout, {
    description:
      'Seconds without any progress after which a server counts as failed. A server that no longer answers, or only talks, has 15 more, and a large release more for slow disks. Time in which the deploy itself is suspended does not count. May also be written `stallTimeout`.',
    example: 120,
  }),
  total: setting(numbers.seconds.schema.default(0), numbers.timeout, {
    description: 'Seconds that the transfer to a server may take in all. May also be written `totalTimeout`.',
    example: 900,
  }),
  health: setting(numbers.seconds.schema.default(60), numbers.timeout, {
    description: 'Seconds that `healthCheck` may take on a server.',
    example: 300,
  }),
  hook: setting(numbers.seconds.schema.default(120), numbers.timeout, {
    description: 'Seconds that `activate` and each command of `rollout` may take.',
    example: 300,
  }),
})
