/** Protocols that share the limits, by the name that the file, grants and `status` give them. */
export const PROTOCOLS = ['mdsftp', 'ipc', 'warpdrive', 'casync', 'torronto'] as const
