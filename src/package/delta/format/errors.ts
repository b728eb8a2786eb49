import { MurderError } from '../../../errors.ts'

export const badDelta = (why: string, cause?: unknown): MurderError =>
  new MurderError('BAD_DELTA', `the delta is unusable: ${why}`, {
    cure: 'deploy again; both ends must run the same version',
    cause,
  })

export const badSignature = (why: string, cause?: unknown): MurderError =>
  new MurderError('BAD_SIGNATURE', `the signature is unusable: ${why}`, {
    cure: 'remove it: the next deploy makes a new one',
    cause,
  })

/** The base of a delta is not what was delivered. The whole package helps. */
export const baseChanged = (why: string, cause?: unknown): MurderError =>
  new MurderError('BASE_CHANGED', `the earlier release is not what was delivered any more: ${why}`, {
    cure: 'it takes the whole package instead',
    cause,
  })
