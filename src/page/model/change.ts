import type { Change, Picture } from './picture.ts'
import { Samples } from './samples.ts'

/** A picture that takes changes one by one. */
export class ChangingPicture {
  readonly #samples = new Samples()
  readonly picture: Picture

  constructor({ run, servers, samples }: Picture) {
    for (const sample of samples) this.#samples.add(sample, true)
    this.picture = { run, servers: [...servers], samples: this.#samples.all }
  }

  take({ run, servers, samples }: Change): void {
    this.picture.run = run
    for (const [place, server] of servers) this.picture.servers[place] = server
    for (const sample of samples) this.#samples.add(sample, true)
  }
}
