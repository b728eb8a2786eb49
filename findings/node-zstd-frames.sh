#!/bin/bash
# Node.js 24.21.0 (npm package node), no network after the installation.
# Expected: createZstdDecompress expands frames in a row, which are one valid file (RFC 8878, 3), as createGunzip does with members.
# Seen: it ends after the first frame, without an error, and drops the rest, unless that frame fills its last output buffer: frames
#   of a multiple of `chunkSize` all come through. The same bytes written frame by frame come through, too.
# For us: a package is frames of 1 MiB, expanded in chunks of 256 KiB (src/package/NOTES.md).
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
echo '{"private":true}' >package.json
npm install --silent --no-audit --no-fund node@24.21.0 >/dev/null 2>&1

cat >frames.mjs <<'JS'
import { text } from 'node:stream/consumers'
import zlib from 'node:zlib'

const CHUNK = 1024
const expanded = async (make, writes) => {
  const stream = make({ chunkSize: CHUNK })
  for (const write of writes) stream.write(write)
  stream.end()
  return (await text(stream)).length
}
const twice = (compress, length) => [compress(Buffer.alloc(length, 'a')), compress(Buffer.alloc(length, 'b'))]
const zstd = (length) => twice(zlib.zstdCompressSync, length)
const gzip = (length) => twice(zlib.gzipSync, length)

const seen = {
  gzip: await expanded(zlib.createGunzip, [Buffer.concat(gzip(1000))]),
  zstd: await expanded(zlib.createZstdDecompress, [Buffer.concat(zstd(1000))]),
  filling: await expanded(zlib.createZstdDecompress, [Buffer.concat(zstd(4 * CHUNK))]),
  apart: await expanded(zlib.createZstdDecompress, zstd(1000)),
}
console.log(process.version, JSON.stringify(seen))
const expected = { gzip: 2000, zstd: 1000, filling: 8 * CHUNK, apart: 2000 }
for (const [name, length] of Object.entries(expected))
  if (seen[name] !== length) throw new Error(`${name}: ${seen[name]} bytes, not ${length} as before`)
JS
node_modules/node/bin/node frames.mjs
echo 'as described: the frame after the first is dropped without an error, unless the first fills its output buffer'
