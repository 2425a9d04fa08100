/** Takes as long whatever the bytes are. */
export function equalBytes (a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (let index = 0; index < a.length; index++) difference |= (a[index] as number) ^ (b[index] ?? 0)
  return difference === 0
}
