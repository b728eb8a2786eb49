import { readFileSync } from 'node:fs'
import { writeWhole } from '../../files/write-whole.ts'
import { pageScriptFile, pageStyleFile } from '../../page-file.ts'
import type { Picture } from '../model/picture.ts'
import { frozenDocument } from './document.ts'

/** Writes the picture of a run as one HTML file that needs no other. Throws the system's error. */
export function writePicture(file: string, picture: Picture, mode: number): void {
  const [script, style] = [pageScriptFile, pageStyleFile].map((path) => readFileSync(path, 'utf8'))
  writeWhole(file, frozenDocument(picture, { script: script ?? '', style: style ?? '' }), { mode })
}
