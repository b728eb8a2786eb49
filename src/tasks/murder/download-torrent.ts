import { downloadTorrent } from '../../deploy/steps/download-torrent.ts'
import { step } from '../step.ts'

/** Brings the torrent of what is seeded, with the tracker's address in it. */
export const registerDownloadTorrent = step('murder:download_torrent', downloadTorrent)
