import { refuseImport } from '../refuse-import.mjs'
import { placeIn } from '../place.mjs'

/** The import table, whichever way a module is named. */
export const imports = {
  create (context) {
    const place = placeIn(context)
    const { manifest } = context.settings.ropewalk
    const check = node => {
      if (typeof node?.value !== 'string') return
      const message = refuseImport(place, node.value, manifest)
      if (message !== undefined) context.report({ node, message })
    }
    return {
      ImportDeclaration: node => check(node.source),
      ExportNamedDeclaration: node => check(node.source),
      ExportAllDeclaration: node => check(node.source),
      ImportExpression: node => check(node.source),
      TSImportType: node => check(node.source ?? node.argument?.literal),
      TSExternalModuleReference: node => check(node.expression),
      'CallExpression[callee.name="require"]': node => check(node.arguments[0])
    }
  }
}
