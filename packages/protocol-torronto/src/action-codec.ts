/** The numbers of the actions, which the README and the code of the original have in a different order. Pure. */
import { SwarmError } from './errors.ts'
import type { ActionName, Profile } from './message.ts'

/** As the original runs, and as our own peers count. */
export const ACTIONS: readonly ActionName[] = ['Join', 'Leave', 'Query', 'Insert', 'Add', 'Remove', 'Files', 'Upload', 'Download', 'Have']

/** As its README says. */
export const DOCUMENTED_ACTIONS: readonly ActionName[] = ['Join', 'Leave', 'Insert', 'Query', 'Add', 'Remove', 'Files', 'Download', 'Upload', 'Have']

export function actionNumber (profile: Profile['name'], action: ActionName): number {
  return actionsOf(profile).indexOf(action)
}

/** Throws `ERR_BAD_ACTION`. */
export function actionName (profile: Profile['name'], number: number): ActionName {
  const name = actionsOf(profile)[number]
  if (name === undefined) throw new SwarmError('ERR_BAD_ACTION', `unknown action ${number}`)
  return name
}

/** Whether a block of 65,536 bytes follows the header. */
export function hasBlock (action: ActionName): boolean {
  return action === 'Add' || action === 'Files' || action === 'Upload'
}

function actionsOf (profile: Profile['name']): readonly ActionName[] {
  return profile === 'documented' ? DOCUMENTED_ACTIONS : ACTIONS
}
