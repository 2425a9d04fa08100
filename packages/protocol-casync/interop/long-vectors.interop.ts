/**
 * The vectors of the original whose inputs are long: cut here, and not in every run of the tests.
 *
 * @module
 */
import { chopped } from '@ropewalk/testing'
import t from 'tap'
import { chunk } from '../src/chunk.ts'
import { parseChunkSizes } from '../src/chunk-sizes.ts'
import { identify } from '../src/identify.ts'
import { input, nodeHash } from '../test/inputs.ts'
import { CHUNKER_VECTORS } from '../test/vectors.ts'

for (const vector of CHUNKER_VECTORS.filter(({ size, error }) => error === undefined && size > 16 * 1024 * 1024)) {
  t.test(`cuts ${vector.input} with ${vector.chunk_size} where the original does`, async t => {
    const chunks = []
    for await (const { start, end, id } of identify(nodeHash)(chunk(parseChunkSizes(vector.chunk_size ?? 'auto'))(chopped(input(vector.input), [1_000_000])))) chunks.push([start, end - start, id])
    t.same(chunks, vector.chunks)
  })
}
