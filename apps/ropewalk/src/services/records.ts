/**
 * What a node keeps of itself beside its services: the socket for commands, the board, the journal, and the audit log behind the door.
 *
 * @module
 */
import { answerActivity } from '../activity/answer.ts'
import { ActivityBoard } from '../activity/board.ts'
import { Journal } from '../activity/journal.ts'
import type { Configuration } from '../config/resolve.ts'
import { codeOf } from '../errors.ts'
import { Control } from './control.ts'
import { Door, openAudit } from './door.ts'

export interface RecordsOptions {
  readonly state: string
  readonly configuration: Configuration
  /** Whether the node is of no use without the socket. Others leave it to the node that was first. */
  readonly controlled: boolean
  /** No command of this user asks it: it is not the node that stays. */
  readonly hidden?: boolean | undefined
  readonly onTrouble: (who: string, error: unknown) => void
}

export class Records {
  readonly board: ActivityBoard
  readonly door: Door
  readonly control: Control | undefined
  readonly #journal: Journal

  /** Opens all of them, or none. */
  static async open ({ state, configuration, controlled, hidden = false, onTrouble }: RecordsOptions): Promise<Records> {
    const control = hidden ? undefined : await Control.open(state).catch((error: unknown) => {
      if (controlled || codeOf(error) !== 'ERR_STATE') throw error
      return undefined
    })
    let journal: Journal | undefined
    try {
      journal = await Journal.open(state, configuration.get('journal.max_size') as number)
      const board = new ActivityBoard()
      const door = new Door({ board, state, audit: await openAudit(state, configuration) })
      door.configure(configuration)
      if (control !== undefined) answerActivity(control, board)
      journal.follow(board, error => { onTrouble('journal', error) })
      return new Records(board, door, control, journal)
    } catch (error) {
      await journal?.close()
      await control?.close()
      throw error
    }
  }

  private constructor (board: ActivityBoard, door: Door, control: Control | undefined, journal: Journal) {
    this.board = board
    this.door = door
    this.control = control
    this.#journal = journal
  }

  /** After the services have stopped. */
  async close (): Promise<void> {
    await this.control?.close()
    await this.#journal.close()
    await this.door.close()
  }
}
