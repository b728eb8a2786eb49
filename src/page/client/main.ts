import { ChangingPicture } from '../model/change.ts'
import type { Change, Choice, Picture } from '../model/picture.ts'
import { Page } from './page.ts'
import { deployWords, swarmWords } from './words.ts'

/** A deploy that has vanished is not requested for ever. */
const MAX_RETRIES = 5

const root = document.getElementById('page') ?? document.body
const page = new Page(root, root.dataset.kind === 'swarm' ? swarmWords : deployWords)
const frozen = document.getElementById('picture')
if (frozen) page.show(JSON.parse(frozen.textContent ?? '') as Picture)
else follow()

/** Follows the run until it ends, and keeps its last picture. */
function follow(): void {
  const events = new EventSource(`${location.pathname}/events${location.search}`)
  let current: ChangingPicture | undefined
  let retries = 0
  const on = (name: string, take: (data: unknown) => void) =>
    events.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent<string>).data)))
  on('picture', (picture) => {
    retries = 0
    current = new ChangingPicture(picture as Picture)
    page.show(current.picture)
  })
  on('change', (change) => {
    current?.take(change as Change)
    if (current) page.show(current.picture)
  })
  on('choices', (choices) => page.offer(choices as Choice[]))
  on('end', (picture) => {
    events.close()
    page.show(picture as Picture, 'this is the last picture')
  })
  events.addEventListener('error', () => {
    const isOver = retries++ >= MAX_RETRIES || events.readyState === EventSource.CLOSED
    if (isOver) events.close()
    if (current)
      page.show(
        current.picture,
        isOver ? 'the connection is lost: this is the last picture' : 'connecting again',
      )
  })
}
