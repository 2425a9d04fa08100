/** Calls `found(name, node)` for each use of a name that the file does not define itself, as a value or as a type. */
export function eachGlobal (program, sourceCode, found) {
  const [scope] = sourceCode.scopeManager.scopes
  visit(scope, reference => {
    if ((reference.resolved?.defs.length ?? 0) === 0) found(reference.identifier.name, reference.identifier)
  })
}

function visit (scope, use) {
  for (const reference of scope.references) use(reference)
  for (const child of scope.childScopes) visit(child, use)
}

/** The name of a property: `a.name`, `a['name']`, `{ name }`. */
export function propertyName (node) {
  const key = node.property ?? node.key
  return node.computed ? key?.value : key?.name ?? key?.value
}

/** True for `globalThis` and its older names. */
export function isGlobalObject (node) {
  const bare = node?.type === 'TSAsExpression' || node?.type === 'TSNonNullExpression' ? node.expression : node
  return bare?.type === 'Identifier' && ['globalThis', 'global', 'window', 'self'].includes(bare.name)
}
