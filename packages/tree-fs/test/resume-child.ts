/** Writes a tree and keeps its marks, goes on behind those that are kept, and says where it began when it is at a node that somebody chose, or at its end. */
import { appendFileSync, readFileSync } from 'node:fs'
import type { TreeKept, TreeMark, TreePart } from '@ropewalk/interface'
import { writeTree } from '../src/write-tree.ts'
import { partsOf } from './trees.ts'

const [from = '', to = '', workspace = '', journal = '', after = ''] = process.argv.slice(2)
const all: TreePart[] = []
for await (const part of partsOf(from)) all.push(part.kind === 'data' ? { kind: 'data', bytes: part.bytes.slice() } : part)
let marked = Number(readIfThere().split('\n').at(-2) ?? 0)
const kept = all.slice(0, marked).map((part): TreePart | TreeKept => part.kind === 'data' ? { kind: 'kept', bytes: part.bytes.length } : part)

async function * parts (): AsyncGenerator<TreePart | TreeMark> {
  const begun = marked
  let nodes = 0
  for (const [i, part] of all.entries()) {
    if (part.kind === 'node' && nodes++ === Number(after)) process.stdout.write(`${begun}\n`)
    if (i < begun) continue
    yield part
    yield { kind: 'mark', trace: Buffer.from(String(i + 1)) }
  }
}

await writeTree(parts(), to, {
  workspace,
  kept,
  onMark: trace => { appendFileSync(journal, `${Buffer.from(trace).toString()}\n`) },
  onAnew: () => { marked = 0 }
})
process.stdout.write(`${marked}\n`)

function readIfThere (): string {
  try {
    return readFileSync(journal, 'utf8')
  } catch {
    return ''
  }
}
