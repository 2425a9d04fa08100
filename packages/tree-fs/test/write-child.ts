/** Writes a tree, and says so before a node that somebody chose. */
import type { TreeNode, TreePart } from '@ropewalk/interface'
import { readTree } from '../src/read-tree.ts'
import { writeTree } from '../src/write-tree.ts'

const [from = '', to = '', after = '0', workspace] = process.argv.slice(2)
let nodes = 0

async function * parts (): AsyncGenerator<TreePart> {
  const open: TreeNode[] = []
  for await (const { node, content } of readTree(from)) {
    while (open.length > 0 && !(open.at(-1)?.path === '' || node.path.startsWith(`${open.at(-1)?.path}/`))) yield { kind: 'leave', node: open.pop() as TreeNode }
    if (nodes++ === Number(after)) process.stdout.write('now\n')
    yield { kind: 'node', node }
    if (node.type === 'directory') open.push(node)
    for await (const bytes of content?.() ?? []) yield { kind: 'data', bytes }
  }
  while (open.length > 0) yield { kind: 'leave', node: open.pop() as TreeNode }
}

await writeTree(parts(), to, workspace === undefined ? {} : { existing: 'replace', workspace })
process.stdout.write('done\n')
