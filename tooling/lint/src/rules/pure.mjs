import { eachGlobal, propertyName } from '../globals.mjs'
import { placeIn } from '../place.mjs'

const WAITING = ['Promise', 'PromiseLike', 'AsyncIterable', 'AsyncIterator', 'AsyncIterableIterator', 'AsyncGenerator', 'queueMicrotask']
const AMBIENT = [
  'setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate',
  'Date', 'performance', 'Temporal', 'crypto', 'process', 'Buffer', 'console', 'require',
  'fetch', 'WebSocket', 'XMLHttpRequest', 'Worker', 'MessageChannel', 'Atomics', 'navigator',
  'globalThis', 'global', 'window', 'self'
]

/** Bytes in, facts out: a pure file takes time, chance and the world as arguments. */
export const pure = {
  create (context) {
    const place = placeIn(context)
    if (!place.pure) return {}
    const refuse = (node, what) => context.report({ node, message: `${place.path} is pure: ${what} comes in as an argument, or belongs in the pipeline` })
    const refuseWait = place.waits ? () => {} : node => refuse(node, 'whatever waits')
    return {
      'Program:exit' (program) {
        eachGlobal(program, context.sourceCode, (name, node) => {
          if (AMBIENT.includes(name)) refuse(node, name)
          if (WAITING.includes(name)) refuseWait(node)
        })
      },
      ':function[async=true]': refuseWait,
      AwaitExpression: refuseWait,
      'ForOfStatement[await=true]': refuseWait,
      MemberExpression (node) {
        const name = propertyName(node)
        if (name === 'random' && node.object.name === 'Math') refuse(node, 'Math.random')
        if (['then', 'catch', 'finally'].includes(name) && node.parent.type === 'CallExpression' && node.parent.callee === node) refuseWait(node)
      }
    }
  }
}
