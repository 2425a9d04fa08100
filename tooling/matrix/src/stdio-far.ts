/** The far end as a process of its own: `stdio-far.ts MUXER REPORTS`, REPORTS a unix socket. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { stdio } from '@ropewalk/transport-stdio'
import { far } from './far.ts'
import { MUXERS } from './muxers.ts'

const [name, path = ''] = process.argv.slice(2)
const muxer = MUXERS.find(each => each.name === name)
if (muxer === undefined) throw new RangeError(`no muxer ${name}`)

const reports = connect(path)
await once(reports, 'connect')
await far(stdio(), muxer, report => { reports.write(`${report}\n`) })
reports.end(() => process.exit())
