/** Receives into a transfer, stands still at the step that it is told, says so, and waits to be killed. */
import { link, readdir, unlink, writeFile } from 'node:fs/promises'
import { writeSync } from 'node:fs'
import { join } from 'node:path'
import { openReceiver } from '../src/index.ts'
import { Journal } from '../src/journal.ts'

const [root = '', step = ''] = process.argv.slice(2)
const text = (content: string): Uint8Array => new TextEncoder().encode(content)
const receiver = await openReceiver(root)
const transfer = await receiver.transfer('t')

if (step === 'part') {
  const whole = await transfer.file('whole')
  await whole.write(text('whole'))
  await whole.finish()
  await (await receiver.file('lost')).write(text('lost'))
  const part = await transfer.file('part', { size: 9 })
  await part.write(text('abc'))
  await part.verify()
  await part.write(text('def'))
  await stand()
} else if (step === 'refused') {
  // It is sealed, somebody else takes its name, and the process ends before the journal knows that it has been given up.
  const sync = Journal.prototype.sync
  let syncs = 0
  Journal.prototype.sync = async function () {
    if (++syncs > 1) {
      this.flush = () => {}
      await stand()
    }
    await sync.call(this)
    await writeFile(join(root, 'f'), 'another')
  }
  const writer = await transfer.file('f', { size: 3 })
  await writer.write(text('abc'))
  await writer.finish()
} else {
  // The journal is told that the file is sealed; from then on the steps of giving it a name are done here, one by one.
  Journal.prototype.sync = async function () {
    this.flush()
    const staging = join(root, '.ropewalk-staging')
    const [part = ''] = (await readdir(staging, { recursive: true })).filter(entry => entry.endsWith('.part'))
    if (step !== 'sealed') await link(join(staging, part), join(root, 'f'))
    if (step === 'unlinked') await unlink(join(staging, part))
    await stand()
  }
  const writer = await transfer.file('f', { size: 3 })
  await writer.write(text('abc'))
  await writer.finish()
}

function stand (): Promise<never> {
  writeSync(1, 'standing\n')
  process.stdin.resume()
  return new Promise(() => {})
}
