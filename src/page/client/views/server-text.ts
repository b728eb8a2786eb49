import { bytes, duration, percent, rate } from '../../../text/format.ts'
import type { Picture, ServerPicture } from '../../model/picture.ts'
import type { Words } from '../words.ts'

/** One server in one line. */
export function serverText(server: ServerPicture, { run }: Picture, { laneNames }: Words): string {
  const spans = server.spans
    .filter(([lane]) => lane !== 'ready' && lane !== 'live' && lane !== 'failed')
    .map(([lane, beganS, endedS]) => `${laneNames[lane]} ${duration((endedS ?? run.atS) - beganS)}`)
  const moving =
    server.lane === 'transfer'
      ? [`${percent(server.bytes, run.size)} of ${bytes(run.size)}, ${rate(server.rate)}`]
      : []
  const failure = server.failure
    ? [
        `${server.failure.step}: ${server.failure.cause}${server.failure.cure ? ` — ${server.failure.cure}` : ''}`,
      ]
    : []
  return [
    `${server.server}: ${laneNames[server.lane]}`,
    ...moving,
    ...failure,
    server.why ?? '',
    spans.join(', '),
  ]
    .filter(Boolean)
    .join(' · ')
}
