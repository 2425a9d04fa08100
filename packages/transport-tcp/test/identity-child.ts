import { loadIdentity } from '../src/index.ts'

const { fingerprint } = await loadIdentity(process.argv[2] as string)
console.log(fingerprint)
