import type { LabHost } from '../../../test/support/lab/host.ts'
import type { Contender } from './contender.ts'
import { ended, pushOverSsh } from './rsync.ts'
import { need } from './torrent.ts'

/** Whole-file doubling: each machine that has the file passes it on to one server after another, over ssh. */
export const bounce: Contender = {
  what: 'whole-file doubling over ssh',
  setUp: () => need('rsync', 'rsync'),
  async run(race) {
    await Promise.all(race.servers.map((server) => race.lab.sshd(server)))
    const waiting = [...race.servers]
    await race.go()

    const passOn = async (holder: LabHost): Promise<void> => {
      const next = waiting.shift()
      if (!next) return
      await ended(pushOverSsh(race, holder, holder === race.seeder ? race.content.file : race.target, next))
      race.done(next)
      await Promise.all([passOn(holder), passOn(next)])
    }
    await passOn(race.seeder)
  },
}
