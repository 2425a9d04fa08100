import type { Inspector } from './inspector.ts'

/** Every protocol that `inspect` can read, by the name that is typed. A new one joins with its entry. */
export const PROTOCOLS: Readonly<Record<string, Inspector>> = {
  mdsftp: {
    description: 'MDSFTP, the protocol between storage nodes',
    profiles: ['upstream', 'seed', 'seed-code'],
    open: async options => (await import('./mdsftp.ts')).openMdsftp(options)
  },
  casync: {
    description: 'casync, between a client and its helper at the other end',
    profiles: ['casync'],
    open: async () => (await import('./casync.ts')).openCasync()
  },
  'ipc-upload': {
    description: 'upload over libipc, in frames of 6 bytes, or of the stream era',
    profiles: ['final', 'readme', 'final-stream4', 'readme-stream4'],
    open: async options => (await import('@ropewalk/protocol-ipc-upload/codec')).ipcUploadInspector.open(options)
  },
  warpdrive: {
    description: 'warpdrive, offers of files between peers: what the one who opened a session says, or with --asked what was answered',
    profiles: ['go-838779e', 'seed'],
    ports: ['warpdrive-local', 'warpdrive-remote', 'warpdrive-info', 'warpdrive'],
    replies: true,
    open: async options => await (await import('./warpdrive.ts')).openWarpdrive(options)
  },
  torronto: {
    description: 'torronto, between peers of a swarm; both wires have frames of our own, which tell themselves',
    profiles: ['as-implemented', 'documented'],
    open: async options => (await import('./torronto.ts')).openTorronto(options)
  }
}
