import { MurderError } from '../../errors.ts'

/** What unpacking says of a package, or of a delta, that is not as it was sent. */
const DAMAGED = new Set(['PACKAGE_DAMAGED', 'PACKAGE_WRONG'])

/**
 * Unpacks while the content arrives. Only when it is whole is it known to be right or not: where it seems damaged before that, it
 * is unpacked once more then. `wait` ends when the content is whole, and says so, or that it never will be.
 */
export async function unpackArriving<Made>(
  unpack: (isArriving: boolean) => Promise<Made>,
  wait: (error: MurderError) => Promise<boolean>,
): Promise<Made> {
  try {
    return await unpack(true)
  } catch (error) {
    if (error instanceof MurderError && DAMAGED.has(error.code) && (await wait(error))) return unpack(false)
    throw error
  }
}
