import type { StorageNode } from '@ropewalk/protocol-mdsftp'

/** What a node answers to whoever may only read. */
const DENIED: Readonly<Partial<Record<keyof StorageNode, () => unknown>>> = {
  reserve: async () => ({ spaceLeft: 0n }),
  reservation: async () => undefined,
  begin: async () => { throw Object.assign(new Error('read only'), { code: 'ERR_REFUSED' }) },
  commit: async () => 'not_available',
  remove: async () => false,
  cancel: async () => {},
  refresh: async () => {}
}

/** The same node, of which nothing can be changed. */
export function readOnly (node: StorageNode): StorageNode {
  return new Proxy(node, {
    get (target, key) {
      const denied = DENIED[key as keyof StorageNode]
      if (denied !== undefined) return denied
      const value: unknown = Reflect.get(target, key, target)
      if (key === 'lock') return (id: string, kind: 'read' | 'write') => kind === 'read' && target.lock(id as Parameters<StorageNode['lock']>[0], kind)
      return typeof value === 'function' ? value.bind(target) as unknown : value
    }
  })
}
