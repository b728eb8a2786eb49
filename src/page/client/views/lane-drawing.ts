import { duration } from '../../../text/format.ts'
import type { Picture, ServerPicture } from '../../model/picture.ts'
import type { Colours } from '../colours.ts'
import type { TimeWindow } from '../time-window.ts'

/** Rows of at least this height have gaps between them. */
export const DENSE_PX = 9
/** Lower rows would make names illegible. */
export const MIN_NAMED_PX = 12
export const AXIS_PX = 18

/** Where and how lanes are drawn. */
export interface LaneDrawing {
  context: CanvasRenderingContext2D
  width: number
  height: number
  rowPx: number
  /** Where the lanes begin, right of the names. */
  left: number
  /** How far the rows are scrolled. */
  topPx: number
  window: TimeWindow
  colours: Colours
}

export interface LaneRows {
  /** The short name of each server. */
  shorts: readonly string[]
  /** Places of the servers, as they are drawn. */
  order: readonly number[]
  /** The row that is marked. */
  chosen: number | undefined
}

/** Draws the rows that are visible, and the axis below them. */
export function drawLanes(drawing: LaneDrawing, picture: Picture, rows: LaneRows): void {
  const { context, width, height, rowPx, topPx } = drawing
  const first = Math.floor(topPx / rowPx)
  const last = Math.min(rows.order.length, Math.ceil((topPx + height - AXIS_PX) / rowPx))
  context.save()
  context.beginPath()
  context.rect(0, 0, width, height - AXIS_PX)
  context.clip()
  for (let row = first; row < last; row++) {
    const place = rows.order[row] ?? 0
    const server = picture.servers[place]
    if (!server) continue
    const y = row * rowPx - topPx
    if (row === rows.chosen) {
      context.fillStyle = drawing.colours.get('select')
      context.fillRect(0, y, width, rowPx)
    }
    if (rowPx >= MIN_NAMED_PX) drawName(drawing, server, rows.shorts[place] ?? '', y)
    drawSpans(drawing, server, picture.run.atS, y)
  }
  context.restore()
  drawAxis(drawing)
}

function drawName(
  { context, colours, rowPx, left }: LaneDrawing,
  server: ServerPicture,
  name: string,
  y: number,
) {
  context.fillStyle = colours.get(server.lane === 'failed' ? 'failed' : 'text')
  context.font = `${Math.min(12, rowPx - 2)}px system-ui, sans-serif`
  context.textBaseline = 'middle'
  context.fillText(fitted(context, name, left - 12), 4, y + rowPx / 2)
}

function drawSpans(drawing: LaneDrawing, server: ServerPicture, nowS: number, y: number): void {
  const { context, colours, width, rowPx, left } = drawing
  const gap = rowPx >= DENSE_PX ? 2 : 0
  for (const [lane, beganS, endedS] of server.spans) {
    const isOver = lane === 'ready' || lane === 'live' || lane === 'failed'
    const [from, to] = [xOf(drawing, beganS), xOf(drawing, endedS ?? nowS)]
    if (to < left || from > width) continue
    const begin = Math.max(from, left)
    context.globalAlpha = isOver ? (lane === 'failed' ? 0.5 : 0.28) : 1
    context.fillStyle = colours.get(lane)
    context.fillRect(begin, y + gap, Math.max(to - begin, isOver ? 2 : 1), rowPx - 2 * gap)
    context.globalAlpha = 1
  }
}

function drawAxis(drawing: LaneDrawing): void {
  const { context, colours, width, height, left } = drawing
  const { fromS, toS } = drawing.window
  const step = niceStep((toS - fromS) / Math.max(2, (width - left) / 90))
  context.font = '11px system-ui, sans-serif'
  context.textBaseline = 'alphabetic'
  context.fillStyle = colours.get('quiet')
  for (let atS = Math.ceil(fromS / step) * step; atS <= toS; atS += step) {
    const label = atS < 120 ? `${Number(atS.toFixed(2))} s` : duration(atS)
    const x = Math.min(xOf(drawing, atS), width - context.measureText(label).width - 2)
    context.fillText(label, x, height - 4)
  }
}

function xOf({ window: { fromS, toS }, width, left }: LaneDrawing, atS: number): number {
  return left + ((atS - fromS) / (toS - fromS)) * (width - left)
}

function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(least))
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= least) ?? least
}

function fitted(context: CanvasRenderingContext2D, text: string, width: number): string {
  if (context.measureText(text).width <= width) return text
  const characters = [...text]
  const share = width / context.measureText(text).width
  return `${characters.slice(0, Math.max(1, Math.floor(characters.length * share) - 1)).join('')}…`
}
