import { eachGlobal, isGlobalObject, propertyName } from '../globals.mjs'
import { placeIn } from '../place.mjs'

const TIMERS = ['setTimeout', 'setInterval']
const SWITCHES = ['only', 'skip', 'todo']
const TESTER = /^(t\d*|tt|tap|test|it|describe|suite)$/

/** Tests run, all of them, and wait for what happens instead of for the clock. */
export const honestTests = {
  create (context) {
    const place = placeIn(context)
    if (!place.tests) return {}
    const refuseWait = node => context.report({ node, message: 'No sleeps: await the event, or drive a VirtualClock' })
    const refuseSwitch = (node, name) => context.report({ node, message: `No .${name}: a test that does not run proves nothing` })
    return {
      'Program:exit' (program) {
        eachGlobal(program, context.sourceCode, (name, node) => { if (TIMERS.includes(name)) refuseWait(node) })
      },
      MemberExpression (node) {
        const name = propertyName(node)
        if (TIMERS.includes(name) && isGlobalObject(node.object)) refuseWait(node)
        if (name === 'wait' && node.object.name === 'Atomics') refuseWait(node)
        if (SWITCHES.includes(name) && TESTER.test(root(node).name ?? '')) refuseSwitch(node, name)
      },
      CallExpression (node) {
        if (!TESTER.test(root(node.callee).name ?? '')) return
        // A condition is allowed, since some machines cannot run some tests; a constant is not.
        for (const option of node.arguments.flatMap(argument => argument.properties ?? [])) {
          if (SWITCHES.includes(propertyName(option)) && (option.value.type === 'Literal' ? option.value.value !== false : option.value.type === 'TemplateLiteral')) {
            refuseSwitch(option, propertyName(option))
          }
        }
      }
    }
  }
}

function root (node) {
  if (node.type === 'MemberExpression') return root(node.object)
  return node.type === 'CallExpression' ? root(node.callee) : node
}
