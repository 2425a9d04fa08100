import { casync } from './casync.ts'
import { ipcUploadInspector } from '@ropewalk/protocol-ipc-upload/codec'
import type { Inspector } from './inspector.ts'
import { mdsftp } from './mdsftp.ts'
import { torronto } from './torronto.ts'
import { warpdrive } from './warpdrive.ts'

/** Every protocol that `inspect` can read, by the name that is typed. A new one joins with its line. */
export const PROTOCOLS: Readonly<Record<string, Inspector>> = {
  mdsftp,
  casync,
  'ipc-upload': ipcUploadInspector,
  warpdrive,
  torronto
}
