import * as z from 'zod'
import * as hosts from '../kinds/hosts.ts'
import * as numbers from '../kinds/numbers.ts'
import { setting } from './setting.ts'

export const tracker = z.strictObject({
  port: setting(numbers.port.schema.default(8998), numbers.port, {
    description:
      'TCP port of the tracker, wherever it is started. When it is not set, and another program (another deploy) has it, the tracker takes the first free one of the 31 after it; servers are told which.',
    example: 9000,
  }),
  address: setting(hosts.host.schema.optional(), hosts.host, {
    description: 'Address at which servers reach the tracker, when it is not the address of the seeder.',
    example: 'tracker.example.com',
    unset: 'the address of the seeder',
  }),
  allow: setting(hosts.networks.schema.default([]), hosts.networks, {
    description:
      'More addresses and networks that the tracker answers and that servers connect to, besides those that the servers name: for servers behind a router that hides theirs, for example.',
    example: ['10.0.0.0/8'],
  }),
  at: setting(hosts.trackerPlace.schema.default('seeder'), hosts.trackerPlace, {
    description:
      'Where the tracker is: beside the seeder, on the deploy host (`local`), on a server as `user@host`, at the announce URL of one that runs already, or nowhere; alone it may stand for all of `tracker`, as in `tracker: false`.',
    example: 'http://tracker.example.com:6969/announce',
  }),
})
