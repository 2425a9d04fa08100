import t from 'tap'
import { formatBytes, formatDuration, formatEta } from '../src/format.ts'

t.test('bytes in powers of 1024, never 1024.0 of anything', async t => {
  for (const [bytes, text] of [[0, '0 B'], [1023, '1023 B'], [1024, '1.0 KiB'], [1_048_575, '1.0 MiB'], [134_217_728, '128.0 MiB'], [1024 ** 5 * 5000, '5000.0 PiB']] as const) t.equal(formatBytes(bytes), text)
})

t.test('times that are left and times that it took', async t => {
  for (const [seconds, text] of [[0, '0:00'], [6.1, '0:07'], [754, '12:34'], [3723, '1:02:03'], [Infinity, '-:--'], [undefined, '-:--'], [1e9, '-:--']] as const) t.equal(formatEta(seconds), text)
  for (const [ms, text] of [[0, '0.0 s'], [340, '0.3 s'], [9949, '9.9 s'], [9960, '10 s'], [200_000, '3:20 min'], [3_723_000, '1:02:03 h']] as const) t.equal(formatDuration(ms), text)
})
