import { stdio } from '../../src/index.ts'

const connection = stdio()
await connection.sink(connection.source)
