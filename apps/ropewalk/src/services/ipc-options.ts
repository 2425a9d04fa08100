import { join } from 'node:path'
import { refuseAlone } from '../arguments.ts'
import { MAX_UPLOAD_BYTES } from '../config/settings.ts'
import { RopewalkError } from '../errors.ts'
import { parseUploadAddress, type UploadAddress } from '../upload-address.ts'

export interface IpcOptions {
  readonly addresses: readonly UploadAddress[]
  readonly keyFile: string
  readonly root: string
  readonly maxFileBytes: number
  readonly audience: string | undefined
}

/** The flags of `serve` that are about uploads. */
export interface IpcFlags {
  readonly ipc?: readonly string[] | undefined
  readonly ipcKey?: string | undefined
  readonly ipcRoot?: string | undefined
  readonly ipcMaxFile?: number | undefined
  readonly ipcAudience?: string | undefined
}

/** What the flags of `serve` ask for; undefined where they ask for nothing. */
export function ipcOptions (flags: IpcFlags, state: string): IpcOptions | undefined {
  const { ipc, ipcKey, ipcRoot, ipcMaxFile = MAX_UPLOAD_BYTES, ipcAudience } = flags
  if (ipc === undefined) {
    refuseAlone({ '--ipc-key': ipcKey, '--ipc-root': ipcRoot, '--ipc-audience': ipcAudience }, 'goes with --ipc, which says where to listen')
    return undefined
  }
  if (ipcKey === undefined) {
    throw new RopewalkError('ERR_USAGE', '--ipc needs --ipc-key: without a key no token could be told from another', { advice: ['"ropewalk token issue --help" says how to make one.'] })
  }
  return { addresses: ipc.map(listenerOf), keyFile: ipcKey, root: ipcRoot ?? join(state, 'uploads'), maxFileBytes: ipcMaxFile, audience: ipcAudience }
}

/** For uploads alone: what serves more is the node's own to listen on. */
function listenerOf (text: string): UploadAddress {
  const address = parseUploadAddress(text)
  if (!('mux' in address)) return address
  throw new RopewalkError('ERR_USAGE', 'a listener for several protocols is one of the node', { text, advice: [`--listen ${text} takes uploads too, and --ipc says where else they come in.`] })
}
