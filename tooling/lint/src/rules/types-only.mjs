import { placeIn } from '../place.mjs'

/** The interface package leaves nothing behind when its types are erased. */
export const typesOnly = {
  create (context) {
    const place = placeIn(context)
    if (place.name !== 'interface' || !place.production) return {}
    return {
      Program (program) {
        for (const node of program.body) if (!isErased(node)) context.report({ node, message: 'packages/interface has types only: import type, export type, interface, type' })
      }
    }
  }
}

function isErased (node) {
  switch (node.type) {
    case 'ImportDeclaration': return node.importKind === 'type'
    case 'ExportNamedDeclaration': return node.exportKind === 'type' && (node.declaration == null || isErased(node.declaration))
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration': return true
    default: return node.declare === true
  }
}
