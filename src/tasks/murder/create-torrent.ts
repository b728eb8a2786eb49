import { createTransfer, sayPackage } from '../../deploy/transfer/stored-transfer.ts'
import { step } from '../step.ts'

/** Packages the workspace into `.shipit-murder/<environment>`. */
export const registerCreateTorrent = step('murder:create_torrent', async (context) => {
  sayPackage(context, await createTransfer(context))
})
