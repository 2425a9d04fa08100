/**
 * The architecture as data: who may import whom, and what the name of a file promises.
 *
 * Everything in this folder reads these tables and nothing else decides. To add a package, add its line here first.
 */

/** What a package may import from the workspace, by folder. The first key that fits counts; `interface` is free to all. */
export const LAYERS = {
  interface: [],
  framing: [],
  flow: [],
  // What every muxer is made of, whatever its wire.
  mux: ['framing', 'flow'],
  negotiate: ['framing'],
  'muxer-yamux': ['framing', 'flow', 'mux', 'libp2p'],
  'muxer-*': ['framing', 'flow', 'mux'],
  'protocol-mdsftp': ['framing', 'flow', 'muxer-mdsftp'],
  // Which protocol sends what between whom it pairs, it does not know.
  'protocol-pair': ['framing'],
  'protocol-*': ['framing', 'flow'],
  // How bytes get to a disk, for whoever keeps them there.
  disk: [],
  receive: ['framing', 'disk'],
  'store-fs': ['framing', 'disk'],
  'store-castr': ['framing', 'disk'],
  'store-*': ['framing'],
  // Trees of files, read and written.
  'tree-*': ['framing'],
  'ledger-*': [],
  'transport-*': ['framing'],
  // Its whole purpose is our muxer as one of libp2p's.
  libp2p: ['framing', 'mux', 'muxer-mdsftp'],
  testing: ['framing', 'flow']
}

/** Packages that talk to the machine. All others run unchanged in a browser: no `node:*`, no Buffer. */
export const ADAPTERS = ['disk', 'receive', 'store-fs', 'store-castr', 'tree-fs', 'ledger-sqlite', 'transport-tcp', 'transport-stdio', 'transport-seqpacket']

/** Folders of portable packages that only their entry point `./node` leads to: they talk to the machine, and no portable file imports them. */
export const NODE_FOLDERS = { 'transport-ws': ['src/node/'], 'protocol-ipc-upload': ['src/node/'], 'protocol-warpdrive': ['src/node/'] }

/** Files without promises, timers, clocks, randomness, logging and I/O, wherever they are. */
export const PURE_FILES = ['codec', '*-codec', 'state', '*-state', 'constants', 'errors']

/** Packages of which every file is pure. */
export const PURE_PACKAGES = ['framing', 'flow']

/** Files of pure packages that wait for bytes, and do nothing else that the world could notice. */
export const WAITING_FILES = { framing: ['byte-reader'] }

/** Files that wait, but for arguments only: they name no machine, store, transport or muxer. */
export const PIPELINE_FILES = ['client', 'server', 'muxer', 'pipeline']

/** What a pipeline may never name, with the one exception: the packets of MDSFTP are those of its muxer. */
export const CONCRETE = ['store-*', 'tree-*', 'ledger-*', 'transport-*', 'muxer-*']
export const CONCRETE_ALLOWED = { 'protocol-mdsftp': ['muxer-mdsftp'] }

/** Names that say nothing about what is inside. */
export const FORBIDDEN_NAMES = ['util', 'utils', 'helper', 'helpers', 'common', 'misc', 'core', 'shared']

/** Most lines of a source file, blank lines and comments not counted. */
export const MAX_LINES = 300

/** True when `name` fits one of `patterns`, in which a `*` stands for anything. */
export function fits (name, patterns) {
  return patterns.some(pattern => new RegExp(`^${pattern.replaceAll('*', '.+')}$`).test(name))
}

/** The workspace packages that `packages/<name>` may import, or undefined when the table does not know it. */
export function layerOf (name) {
  const key = Object.keys(LAYERS).find(pattern => fits(name, [pattern]))
  return key === undefined ? undefined : ['interface', ...LAYERS[key]].filter(other => other !== name)
}
