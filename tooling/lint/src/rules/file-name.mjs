import { FORBIDDEN_NAMES } from '../layers.mjs'
import { placeIn } from '../place.mjs'

/** A file name is a role: a reader guesses where a line lives. */
export const fileName = {
  create (context) {
    const { path } = placeIn(context)
    const words = path.replace(/(\.test)?\.\w+$/, '').split('/').flatMap(part => [part, part.split('-').at(-1)])
    const bad = words.find(word => FORBIDDEN_NAMES.includes(word))
    return { Program: node => { if (bad !== undefined) context.report({ node, message: `"${bad}" says nothing: name the file after its noun` }) } }
  }
}
