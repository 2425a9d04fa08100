/** Pieces of the page, made of elements: text is never read as HTML. */

/** `make('li', { class: 'card' }, 'text', other)`. */
export function make (name, attributes = {}, ...children) {
  const element = document.createElement(name)
  for (const [attribute, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(attribute, value)
    else if (value !== undefined) element.setAttribute(attribute, value)
  }
  element.append(...children)
  return element
}

/**
 * Shows `items` as the children of `list`: one element an item, by its key, which stays as long as the item does, so that what somebody
 * is about to press, or has opened, stays where it is.
 */
export function showList (list, items, { key, draw, empty }) {
  const wanted = new Map(items.map(item => [String(key(item)), item]))
  const there = new Map()
  for (const child of [...list.children]) {
    if (wanted.has(child.dataset.key)) there.set(child.dataset.key, child)
    else if (items.length > 0 || child.className !== 'empty') child.remove()
  }
  let next = list.firstElementChild
  for (const [id, item] of wanted) {
    const child = there.get(id) ?? make('li', { 'data-key': id })
    if (child === next) next = next.nextElementSibling
    else list.insertBefore(child, next)
    draw(child, item)
  }
  if (items.length === 0 && list.textContent !== empty) list.replaceChildren(make('li', { class: 'empty' }, empty))
}

/** Replaces what is in `element` only when it would look otherwise: focus and opened details stay. */
export function fill (element, mark, children) {
  const text = JSON.stringify(mark)
  if (element.dataset.mark === text) return
  element.dataset.mark = text
  element.replaceChildren(...children().filter(child => child !== undefined))
}

/** A graph of the last rates. */
export function graph (rates, label) {
  const [width, height] = [120, 40]
  const most = Math.max(1, ...rates)
  const points = rates.map((rate, index) => `${(index / Math.max(1, rates.length - 1) * width).toFixed(1)},${(height - 2 - rate / most * (height - 6)).toFixed(1)}`)
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  for (const [name, value] of Object.entries({ class: 'graph', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img', 'aria-label': label })) svg.setAttribute(name, value)
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  path.setAttribute('d', points.length < 2 ? '' : `M0,${height} L${points.join(' L')} L${width},${height} Z`)
  svg.append(path)
  return svg
}
