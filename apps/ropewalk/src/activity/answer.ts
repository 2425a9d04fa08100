import { RopewalkError } from '../errors.ts'
import type { Control } from '../services/control.ts'
import type { ActivityBoard } from './board.ts'

/** Lets the commands of this user ask what is under way. */
export function answerActivity (control: Control, board: ActivityBoard): void {
  control.on('activity', (_, tell) => {
    const { transfers, connections } = board.list()
    for (const transfer of transfers) tell({ transfer })
    for (const connection of connections) tell({ connection })
  })
  control.on('transfer', (request, tell) => {
    const id = String(request['transfer'])
    const transfer = board.transfer(id)
    if (transfer === undefined) throw new RopewalkError('ERR_NOT_FOUND', 'no transfer of that id is under way', { text: id })
    tell({ transfer })
  })
}
