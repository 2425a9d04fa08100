/**
 * The chunker by itself: `node chunker.ts random|zeros BYTES`, over bytes that lie in memory. Prints seconds, CPU seconds and the peak of memory as JSON.
 *
 * @module
 */
import { createCipheriv } from 'node:crypto'
import { Chunker } from '@ropewalk/protocol-casync/codec'

const [content = '', size = '0'] = process.argv.slice(2)
const PIECE_BYTES = 1_048_576

const chunker = new Chunker()
const block = Buffer.alloc(64 * PIECE_BYTES)
if (content === 'random') createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(block).copy(block)
const bytes = Number(size)
let chunks = 0
const before = process.cpuUsage()
const began = performance.now()
for (let at = 0; at < bytes; at += PIECE_BYTES) chunks += chunker.push(block.subarray(at % block.length, at % block.length + Math.min(PIECE_BYTES, bytes - at))).length
if (chunker.end() > 0) chunks++
const seconds = (performance.now() - began) / 1000
const { user, system } = process.cpuUsage(before)
process.stdout.write(`${JSON.stringify({ seconds, chunks, cpuSeconds: (user + system) / 1e6, rssBytes: process.resourceUsage().maxRSS * 1024 })}\n`)
