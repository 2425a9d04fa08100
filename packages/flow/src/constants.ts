/** Share of a window that must be worth a packet before it is granted or acknowledged. Ours; `ReceiveWindow` lets you choose another. */
export const DEFAULT_GRANT_FRACTION = 0.25

/** Most credit that a `SendCredit` holds. Ours; 2^32 - 1 is what a 32-bit window field, such as that of yamux, can express. */
export const DEFAULT_MAX_CREDIT: number = 2 ** 32 - 1
