/** How each thing of a node looks: one function each, which draws it into its element. */
import { bytes, count, shown, span } from './format.js'
import { fill, graph, make } from './parts.js'

export function isPending ({ incoming, status }) {
  return incoming && status === 'awaiting'
}

/** `rate` is what the page has measured: `speed` now, and the last `samples`. */
export function drawTransfer (item, transfer, rate, now) {
  const { name, direction, protocol, peer, size, bytes: moved, state, waitsFor, waitsSince, startedAt, endedAt, error } = transfer
  const ended = endedAt !== undefined
  const from = peer === undefined ? '' : ` ${direction === 'in' ? 'from' : 'to'} ${shown(peer)}`
  const [mood, said] = state === 'done' ? ['good', `done in ${span(endedAt - startedAt)}`]
    : state === 'failed' ? ['bad', 'failed']
      : state === 'waiting' ? ['warn', `waiting for ${waitsFor} since ${span(now - waitsSince)}`]
        : ['', `${bytes(rate.speed)}/s`]
  item.className = ended ? '' : 'moving'
  fill(item, [name, size, moved, state, said, ended ? 0 : rate.samples], () => [
    make('div', { class: 'head' }, make('span', { class: 'name' }, shown(name)), make('span', { class: `quiet end ${mood}` }, said)),
    ended ? undefined : make('progress', { max: size === undefined ? undefined : Math.max(1, size), value: size === undefined ? undefined : size === 0 ? 1 : moved, 'aria-label': `Progress of ${shown(name)}` }),
    make('div', { class: 'quiet' }, `${direction === 'in' ? '↓ In' : '↑ Out'}${from} · ${protocol} · ${size === undefined || (ended && moved === size) ? bytes(moved) : `${bytes(moved)} of ${bytes(size)}`}${error === undefined ? '' : ` · ${shown(error.message)} (${error.code})`}`),
    ended ? undefined : graph(rate.samples, `Rate of ${shown(name)}: ${bytes(rate.speed)} a second`)
  ])
}

const MEANS = { awaiting: 'waiting for an answer', accepted: 'being moved', updated: 'being moved', completed: 'completed', rejected: 'declined', withdrawn: 'withdrawn', failed: 'failed' }

/** `answer` is called with the button, the id, and `accept` or `decline`. */
export function drawOffer (item, offer, answer) {
  const { id, incoming, alias, peer, names, files, bytes: size, status, done, failures } = offer
  const who = shown(alias === '' ? peer.slice(0, 12) : alias)
  const what = names.map(shown).join(', ')
  const button = (word, title, style) => make('button', { class: style, 'aria-label': `${title} ${what} from ${who}`, click: ({ currentTarget }) => { answer(currentTarget, id, word) } }, title)
  fill(item, offer, () => [
    make('div', { class: 'head' },
      make('span', { class: 'name' }, what),
      make('span', { class: `quiet end ${status === 'failed' ? 'bad' : status === 'completed' ? 'good' : ''}` }, isPending(offer) ? 'waiting for you' : MEANS[status] ?? status)),
    make('div', { class: 'quiet' }, `${incoming ? 'From' : 'To'} ${who} · ${count(files, 'file')}, ${bytes(size)}${done > 0 && done < files ? ` · ${done} of them done` : ''}`),
    ...failures.slice(0, 5).map(({ name, message }) => make('div', { class: 'quiet bad' }, `${shown(name)}: ${shown(message)}`)),
    isPending(offer) ? make('div', { class: 'actions' }, button('accept', 'Accept', 'first'), button('decline', 'Decline')) : undefined
  ])
}

export function drawConnection (item, connection, now) {
  const { protocol, muxer, address, fingerprint, openedAt, bytesIn, bytesOut, open, channels } = connection
  const age = span(now - openedAt)
  if (item.childElementCount === 0) item.append(make('div', { class: 'head' }), make('div', { class: 'quiet' }), make('details', {}, make('summary'), make('div', { class: 'scroll' })))
  const [head, more, details] = item.children
  const [summary, table] = details.children
  fill(head, [address, protocol, muxer, bytesIn, bytesOut], () => [
    make('span', { class: 'name' }, shown(address)),
    make('span', { class: 'quiet' }, muxer === undefined || muxer === protocol ? protocol : `${protocol} over ${muxer}`),
    make('span', { class: 'quiet end' }, `↓ ${bytes(bytesIn)}  ↑ ${bytes(bytesOut)}`)
  ])
  fill(more, [fingerprint, age, open, channels.length], () => [`${fingerprint === undefined ? 'no key shown' : `key ${fingerprint.slice(0, 16)}…`} · open for ${age}${channels.length === 0 && open !== undefined ? ` · ${count(open, 'channel')}` : ''}`])
  details.hidden = channels.length === 0
  fill(summary, [open, channels.length], () => [`${count(open ?? channels.length, 'channel')}, window by window`])
  fill(table, channels, () => [make('table', {},
    make('thead', {}, make('tr', {}, ...['Channel', 'May send', 'Unread', 'Waiting'].map(title => make('th', { scope: 'col' }, title)))),
    make('tbody', {}, ...channels.map(({ id, sendRoom, unread, waiting }) => make('tr', {}, make('td', {}, String(id)), ...[sendRoom, unread, waiting].map(value => make('td', {}, value === undefined ? '–' : bytes(value)))))))])
}

const MODES = { unknown: 'not paired: its name is a claim', block: 'blocked', trust: 'trusted', ask: 'you are asked' }

export function drawPeer (item, peer) {
  const { peer: key, alias, claims, mode, connected, nearby, addresses } = peer
  fill(item, peer, () => [
    make('div', { class: 'head' },
      make('span', { class: 'name' }, shown(alias ?? claims ?? '')),
      make('span', { class: `quiet end ${connected ? 'good' : ''}` }, connected ? 'connected' : nearby ? 'nearby' : 'away')),
    make('div', { class: 'quiet' }, `${MODES[mode] ?? mode} · key ${key.slice(0, 12)}…${addresses?.[0] === undefined ? '' : ` · ${addresses[0]}`}`)
  ])
}

export function drawStore (item, store) {
  const { name, usedBytes, reservedBytes, freeBytes = 0 } = store
  const all = Math.max(1, usedBytes + reservedBytes + freeBytes)
  fill(item, store, () => [
    make('div', { class: 'head' }, make('span', { class: 'name' }, shown(name)), make('span', { class: 'quiet end' }, `${bytes(usedBytes)} used`)),
    make('meter', { min: 0, max: all, low: all * 0.8, high: all * 0.95, optimum: 0, value: usedBytes + reservedBytes, 'aria-label': `Space of ${name}: ${bytes(usedBytes + reservedBytes)} of ${bytes(all)} taken` }),
    make('div', { class: 'quiet' }, `${bytes(freeBytes)} free${reservedBytes > 0 ? ` · ${bytes(reservedBytes)} reserved` : ''}`)
  ])
}

export function drawReplication (item, { name, local, leastReplication, weightedLeastReplication }, peers) {
  const called = shown(name.replace(/^files\//, ''))
  const mood = leastReplication >= peers ? 'good' : leastReplication >= 1 ? 'warn' : 'bad'
  fill(item, [local, leastReplication, weightedLeastReplication, peers], () => [
    make('div', { class: 'head' }, make('span', { class: 'name' }, called), make('span', { class: `quiet end ${mood}` }, `${weightedLeastReplication.toFixed(1)} of ${peers} copies`)),
    make('progress', { class: mood, max: Math.max(1, peers), value: Math.min(peers, weightedLeastReplication), 'aria-label': `Copies of ${called}: ${weightedLeastReplication.toFixed(1)} of ${peers}` }),
    make('div', { class: 'quiet' }, `${Math.floor(local * 100)} % here · the rarest chunk is held ${count(leastReplication, 'time')}`)
  ])
}
