import { MurderError } from '../../errors.ts'
import type { Compression } from '../../protocol/order.ts'
import type { Extent, Transfer } from './transfer.ts'

export interface MakeOptions {
  /** Id of the manifest that the content must have. */
  id?: string
  onProgress?: (bytes: number, total: number) => void
}

/** What is known of a package before it is made. */
export interface PlannedPackage {
  tag: string
  extent: Extent
  /** Bytes of the files in it. */
  contentBytes: number
  /** About how many bytes it would have. */
  estimatedBytes: number
  compression: Compression
  /** Throws FILE_CHANGED, also when the content differs from that of `id`, and what `pack` throws. */
  make(options?: MakeOptions): Promise<Transfer>
}

/** The package of a deploy. It is made once, when the first server needs it. If all servers get deltas, it is not made. */
export class WholePackage {
  readonly plan: PlannedPackage
  /** Whether it exists. */
  made: Transfer | undefined
  #making: Promise<Transfer> | undefined

  constructor(plan: PlannedPackage) {
    this.plan = plan
  }

  /** Only the first call's `options` count. A failure is permanent. */
  make(options?: MakeOptions): Promise<Transfer> {
    this.#making ??= this.#make(options)
    return this.#making
  }

  async #make(options?: MakeOptions): Promise<Transfer> {
    this.made = await this.plan.make(options)
    return this.made
  }
}

/** The content differs from that of the deltas, although sizes and times are the same. */
export const otherContent = (): MurderError =>
  new MurderError('FILE_CHANGED', 'the release directory changed after the deltas of it were made', {
    cure: 'stop whatever writes into it, then deploy again',
  })
