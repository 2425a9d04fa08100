import type { PackageLimits } from '../limit.ts'

export const protocolPair: PackageLimits = {
  folder: 'protocol-pair',
  exports: () => import('@ropewalk/protocol-pair'),
  limits: [
    {
      constant: 'CODE_LIFETIME_MS',
      of: 'a code that nobody has used',
      unit: 'ms',
      beyond: 'it is void',
      code: 'ERR_NO_CODE',
      test: ['pair.test.ts', 'a code is good for two minutes']
    },
    {
      constant: 'EXCHANGE_TIMEOUT_MS',
      of: 'the whole exchange',
      unit: 'ms',
      option: 'timeoutMs',
      beyond: 'it is broken off',
      code: 'ERR_TIMEOUT',
      test: ['pair.test.ts', 'whoever says nothing is given up at the deadline, on both sides; a signal ends it at once']
    }
  ],
  others: {
    MAX_NAME_BYTES: 'a field of a message, refused with the message when its length is another',
    MAX_INTRODUCTION_BYTES: 'the same, with the port',
    SECRET_CHARACTERS: 'how a code looks',
    PLATES: 'how a code looks',
    CLOSE_TIMEOUT_MS: 'the pairing is over by then',
    VERSION: 'a version',
    NONCE_BYTES: 'a length that the exchange fixes',
    ELEMENT_BYTES: 'a length that the group fixes',
    TAG_BYTES: 'a length that SHA-512 fixes',
    HASH_BLOCK_BYTES: 'a length that SHA-512 fixes'
  }
}
