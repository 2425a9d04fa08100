import { eachGlobal, isGlobalObject, propertyName } from '../globals.mjs'
import { placeIn } from '../place.mjs'

const OF_NODE = ['Buffer', 'process', '__dirname', '__filename', 'require']

/** What runs in browsers names nothing that only Node has. Asking `globalThis` whether it is there is allowed, except for Buffer. */
export const portable = {
  create (context) {
    const place = placeIn(context)
    if (!place.portable || place.pure) return {}
    const refuse = (node, name) => context.report({ node, message: `packages/${place.name} runs in browsers, where there is no ${name}` })
    return {
      'Program:exit' (program) {
        eachGlobal(program, context.sourceCode, (name, node) => { if (OF_NODE.includes(name)) refuse(node, name) })
      },
      MemberExpression (node) {
        if (isGlobalObject(node.object) && propertyName(node) === 'Buffer') refuse(node, 'Buffer')
      },
      VariableDeclarator (node) {
        if (!isGlobalObject(node.init) || node.id.type !== 'ObjectPattern') return
        for (const property of node.id.properties) if (propertyName(property) === 'Buffer') refuse(property, 'Buffer')
      }
    }
  }
}
