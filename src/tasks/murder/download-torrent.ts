import { downloadTorrent } from '../../deploy/steps/download-torrent.ts'
import { step } from '../step.ts'

/** Copies the seeded torrent here, with the tracker's address in it. */
export const registerDownloadTorrent = step('murder:download_torrent', downloadTorrent)
