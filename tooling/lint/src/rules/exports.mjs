import { placeIn } from '../place.mjs'

/** `index.ts` is a table of contents: names and where they live. */
export const exports = {
  create (context) {
    const place = placeIn(context)
    if (!place.path.startsWith('src/')) return {}
    const index = /(^|\/)index\.\w+$/.test(place.path)
    return {
      ExportAllDeclaration: node => context.report({ node, message: 'Export by name: a reader of the index sees what there is' }),
      Program (program) {
        if (!index || place.kind !== 'packages') return
        for (const node of program.body) {
          if (node.type === 'ExportAllDeclaration' || (node.type === 'ExportNamedDeclaration' && node.source != null)) continue
          // `export {}` of a package that is being begun.
          if (node.type === 'ExportNamedDeclaration' && node.declaration == null && node.specifiers.length === 0) continue
          context.report({ node, message: 'index.ts only re-exports' })
        }
      }
    }
  }
}
