import * as z from 'zod'
import * as numbers from '../kinds/numbers.ts'
import * as words from '../kinds/words.ts'
import { setting } from './setting.ts'

export const page = z.strictObject({
  serve: setting(words.flag.schema.optional(), words.flag, {
    description:
      'Whether a deploy shows itself on a page in a browser of the deploy host while it runs (docs/page.md); alone it may stand for all of `page`, as in `page: true`. Its variable is also `MURDER_PAGE`.',
    example: true,
    unset: 'true when page.port is set, else false',
  }),
  port: setting(numbers.port.schema.optional(), numbers.port, {
    description: 'TCP port of the page on the deploy host.',
    example: 8080,
    unset: 'any free port',
  }),
})
