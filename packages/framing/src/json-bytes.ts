/** What a byte outside of strings can be (RFC 8259, section 2). */
export const Class = {
  None: 0,
  Space: 1,
  Quote: 2,
  Open: 3,
  Close: 4,
  Separator: 5,
  /** Part of a number or of `true`, `false`, `null`. */
  Scalar: 6
} as const

export type Class = typeof Class[keyof typeof Class]

export const QUOTE = 0x22
export const BACKSLASH = 0x5c

const CLASSES: Uint8Array = classes({
  [Class.Space]: ' \t\r\n',
  [Class.Quote]: '"',
  [Class.Open]: '{[',
  [Class.Close]: '}]',
  [Class.Separator]: ',:',
  [Class.Scalar]: '0123456789+-.Eaeflnrstu'
})

const ESCAPES: ReadonlySet<number> = new Set(Array.from('"\\/bfnrtu', char => char.charCodeAt(0)))

const SCALAR = /^(?:true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)$/

export function classOf (byte: number | undefined): number {
  return CLASSES[byte as number] as number
}

/** The bracket that closes `opener`. */
export function closerOf (opener: number): number {
  return opener + 2
}

/** Whether `byte` may follow a backslash. */
export function isEscape (byte: number): boolean {
  return ESCAPES.has(byte)
}

export function isHexDigit (byte: number): boolean {
  return (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66)
}

/** Whether bytes of class `Scalar` are a number or a literal. */
export function isScalar (bytes: Uint8Array): boolean {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return SCALAR.test(text)
}

function classes (members: Record<number, string>): Uint8Array {
  const table = new Uint8Array(256)
  for (const [kind, chars] of Object.entries(members)) {
    for (const char of chars) table[char.charCodeAt(0)] = Number(kind)
  }
  return table
}
