/** Receives twenty small files at once, stands still at the step that it is told, says so, and waits to be killed. */
import { writeSync } from 'node:fs'
import { openReceiver } from '../src/index.ts'
import { Journal, type Fact } from '../src/journal.ts'
import { Placement } from '../src/placement.ts'

const [root = '', step = ''] = process.argv.slice(2)
const receiver = await openReceiver(root)
const transfer = await receiver.transfer('t')

const { place } = Placement.prototype
Placement.prototype.place = async function (files) {
  if (step === 'sealed') await stand()
  if (step === 'linked') {
    await place.call(this, files.slice(0, 10))
    await stand()
  }
  return await place.call(this, files)
}
if (step === 'left') {
  // All have their names, and the journal does not know it.
  const { note } = Journal.prototype
  Journal.prototype.note = function (fact: Fact) {
    if (fact.is !== 'placed') note.call(this, fact)
  }
}
await transfer.files(Array.from({ length: 20 }, (_, index) => ({ name: `f${index}`, bytes: new TextEncoder().encode(`f${index}`) })))
if (step === 'left') await stand()
await transfer.finish()
await receiver.close()

function stand (): Promise<never> {
  writeSync(1, 'standing\n')
  process.stdin.resume()
  return new Promise(() => {})
}
