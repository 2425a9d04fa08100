/** The page of a node: shows what it tells, and asks what somebody presses. */
import { drawConnection, drawOffer, drawPeer, drawReplication, drawStore, drawTransfer, isPending } from './draw.js'
import { bytes, clock, shown } from './format.js'
import { make, showList } from './parts.js'

const by = id => document.getElementById(id)

/** Rates that a graph shows, four a second. */
const SAMPLES = 60
/** Lines of the log, and transfers that are over, that stay on the page. */
const LINES = 300
const ENDED = 30

const state = { transfers: new Map(), connections: [], offers: [], peers: [], stores: [], swarm: null }
/** By how much the clock of the node is ahead of ours. */
let ahead = 0
const rates = new Map()

connect()
setInterval(() => {
  sample()
  draw()
}, 250)

function connect () {
  const events = new EventSource('/events')
  events.onopen = () => {
    by('main').hidden = false
    by('login').hidden = true
    link('live', 'Live')
    // Everything is told anew.
    state.transfers.clear()
    by('log').replaceChildren()
  }
  events.onmessage = ({ data }) => { take(JSON.parse(data)) }
  events.onerror = () => {
    link('lost', 'The node does not answer; trying again')
    if (events.readyState === EventSource.CLOSED) void askWhy()
  }
}

/** A browser gives no reason: a token may be wanted, or the node may be gone. */
async function askWhy () {
  const status = await fetch('/session').then(({ status }) => status, () => 0)
  if (status !== 401) {
    setTimeout(connect, 2000)
    return
  }
  by('login').hidden = false
  by('main').hidden = true
  link('lost', 'A token is wanted')
  by('token').focus()
}

by('login').addEventListener('submit', event => {
  event.preventDefault()
  void ask('/session', 'POST', by('token').value).then(({ ok }) => {
    by('login-said').textContent = ok ? '' : 'It is another token.'
    if (ok) connect()
  })
  by('token').value = ''
})

function take ({ now, transfers = [], forgotten = [], log = [], ...rest }) {
  ahead = now - Date.now()
  for (const transfer of transfers) {
    const before = state.transfers.get(transfer.id)
    state.transfers.set(transfer.id, transfer)
    if (before === undefined || before.state === transfer.state) continue
    if (transfer.state === 'done') say(`${shown(transfer.name)} ${transfer.direction === 'in' ? 'has arrived' : 'was sent'}.`)
    if (transfer.state === 'failed') say(`${shown(transfer.name)} has failed: ${shown(transfer.error?.message ?? '')}`)
  }
  for (const id of forgotten) state.transfers.delete(id)
  const known = new Set(state.offers.map(({ id }) => id))
  Object.assign(state, rest)
  const pending = state.offers.filter(isPending)
  for (const { id, alias, names } of pending) if (!known.has(id)) say(`${shown(alias)} offers ${names.map(shown).join(', ')}.`)
  document.title = pending.length > 0 ? `(${pending.length}) Ropewalk` : 'Ropewalk'
  if (log.length > 0) drawLog(log)
  draw()
}

/** How fast each transfer, and everything together, moves now. */
function sample () {
  const total = { in: 0, out: 0 }
  const now = performance.now()
  for (const { id, bytes: moved, direction, endedAt } of state.transfers.values()) {
    const rate = rateOf(id, moved)
    const seconds = (now - rate.at) / 1000
    // Smoothed over a second: bytes come in windows.
    rate.speed = endedAt === undefined ? rate.speed + ((moved - rate.last) / Math.max(0.1, seconds) - rate.speed) * Math.min(1, seconds) : 0
    rate.samples = [...rate.samples, Math.max(0, Math.round(rate.speed))].slice(-SAMPLES)
    rate.last = moved
    rate.at = now
    total[direction] += rate.speed
  }
  for (const id of rates.keys()) if (!state.transfers.has(id)) rates.delete(id)
  by('rate-in').textContent = `${bytes(total.in)}/s`
  by('rate-out').textContent = `${bytes(total.out)}/s`
}

function rateOf (id, moved) {
  if (!rates.has(id)) rates.set(id, { last: moved, at: performance.now(), samples: [], speed: 0 })
  return rates.get(id)
}

function draw () {
  const now = Date.now() + ahead
  const transfers = [...state.transfers.values()]
  const running = transfers.filter(({ endedAt }) => endedAt === undefined).sort((one, other) => other.startedAt - one.startedAt)
  const ended = transfers.filter(({ endedAt }) => endedAt !== undefined).sort((one, other) => other.endedAt - one.endedAt)
  by('running').textContent = String(running.length)
  showList(by('transfers'), [...running, ...ended.slice(0, ENDED)], { key: ({ id }) => id, draw: (item, transfer) => { drawTransfer(item, transfer, rateOf(transfer.id, transfer.bytes), now) }, empty: 'Nothing has moved yet.' })
  const offers = [...state.offers].sort((one, other) => Number(isPending(other)) - Number(isPending(one)) || other.created_at - one.created_at)
  showList(by('offers'), offers, { key: ({ id, incoming }) => `${incoming} ${id}`, draw: (item, offer) => { drawOffer(item, offer, answer) }, empty: 'Nobody has offered anything.' })
  showList(by('connections'), state.connections, { key: ({ id }) => id, draw: (item, connection) => { drawConnection(item, connection, now) }, empty: 'Nobody is connected.' })
  showList(by('peers'), state.peers, { key: ({ peer }) => peer, draw: drawPeer, empty: 'No peers. “ropewalk pair” makes one.' })
  showList(by('stores'), state.stores, { key: ({ name }) => name, draw: drawStore, empty: 'This node stores no objects.' })
  showList(by('swarm'), state.swarm?.files ?? [], { key: ({ name }) => name, draw: (item, file) => { drawReplication(item, file, state.swarm.peers) }, empty: state.swarm === null ? 'No peer of a swarm runs here.' : 'No files yet.' })
}

async function answer (button, id, word) {
  const buttons = [...button.parentElement.children]
  for (const one of buttons) one.disabled = true
  const { ok, said } = await ask(`/offers/${encodeURIComponent(id)}/${word}`, 'POST')
  if (ok) return
  say(`It could not be done: ${said.message}`)
  for (const one of buttons) one.disabled = false
}

function drawLog (records) {
  const list = by('log')
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 24
  for (const { time, level, module, message, fields } of records) {
    const more = Object.entries(fields).map(([key, value]) => `${key}=${shown(String(value))}`).join(' ')
    list.append(make('li', {}, make('time', { datetime: new Date(time).toISOString() }, clock(time)), ` ${module} `, make('span', { class: { warn: 'warn', error: 'bad' }[level] }, shown(message)), make('span', { class: 'quiet' }, ` ${more}`)))
  }
  while (list.childElementCount > LINES) list.firstElementChild.remove()
  if (atEnd) list.scrollTop = list.scrollHeight
}

// Files: dropped anywhere on the page, or chosen.
by('files').addEventListener('change', ({ target }) => {
  void putAll([...target.files])
  target.value = ''
})
for (const name of ['dragover', 'dragenter']) {
  addEventListener(name, event => {
    event.preventDefault()
    by('drop').classList.add('over')
  })
}
addEventListener('dragleave', event => { if (event.relatedTarget === null) by('drop').classList.remove('over') })
addEventListener('drop', event => {
  event.preventDefault()
  by('drop').classList.remove('over')
  void putAll([...event.dataTransfer.files])
})

async function putAll (files) {
  for (const file of files) {
    const item = make('li', {}, `${shown(file.name)}: on its way`)
    by('dropped').prepend(item)
    const { ok, said } = await ask(`/files/${encodeURIComponent(file.name)}`, 'PUT', file)
    if (ok) item.replaceChildren(`${shown(file.name)} is here: `, make('code', {}, said.id === undefined ? shown(said.path) : `ropewalk get ${said.id}`))
    else item.replaceChildren(make('span', { class: 'bad' }, `${shown(file.name)}: ${said.message}`))
  }
}

/** Asks the node to do something; never throws. */
async function ask (path, method, body) {
  try {
    const response = await fetch(path, { method, body, headers: { 'x-ropewalk': '1' } })
    const text = await response.text()
    const said = (response.headers.get('content-type') ?? '').startsWith('application/json') ? JSON.parse(text) : { message: text.trim() }
    return { ok: response.ok, said }
  } catch {
    return { ok: false, said: { message: 'the node does not answer' } }
  }
}

function say (text) {
  by('said').textContent = text
}

function link (name, text) {
  by('link').className = `link ${name}`
  by('link').textContent = text
}
