import type { StorageConnection } from '@ropewalk/protocol-mdsftp'
import { connect, getFile, putFile, sha256, type Progress, type Stored } from './remote-node.ts'

const state = find('#state', HTMLElement)
const input = find('input', HTMLInputElement)
const list = find('ul', HTMLElement)

const url = new URL('node', location.href)
url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:'

try {
  const connection = await connect(url.href)
  state.textContent = `connected to ${url.host}: each file travels on a channel of its own`
  input.addEventListener('change', () => {
    for (const file of input.files ?? []) void add(connection, file)
    input.value = ''
  })
} catch (error) {
  state.textContent = String(error)
}

async function add (connection: StorageConnection, file: File): Promise<void> {
  const row = document.createElement('li')
  const [name, detail, bar, nav] = ['strong', 'small', 'progress', 'nav'].map(tag => row.appendChild(document.createElement(tag))) as [HTMLElement, HTMLElement, HTMLProgressElement, HTMLElement]
  const button = document.createElement('button')
  const progress: Progress = bytes => { bar.value = file.size === 0 ? 1 : bytes / file.size }
  name.textContent = file.name
  button.textContent = 'Get back'
  button.disabled = true
  nav.append(button)
  list.prepend(row)

  const attempt = async (doing: string, work: () => Promise<void>): Promise<void> => {
    detail.textContent = `${readable(file.size)}, ${doing} …`
    progress(0)
    try {
      await work()
      bar.value = 1
    } catch (error) {
      detail.textContent = `${readable(file.size)}, ${String(error)}`
    }
  }

  await attempt('putting', async () => {
    const stored = await putFile(connection, file, progress)
    detail.textContent = `${readable(file.size)}, stored, SHA-256 ${stored.sha256.slice(0, 16)}…`
    button.disabled = false
    button.addEventListener('click', () => {
      button.disabled = true
      void attempt('getting', () => getBack(connection, file, stored, progress, detail, nav))
    })
  })
}

async function getBack (connection: StorageConnection, file: File, stored: Stored, progress: Progress, detail: HTMLElement, nav: HTMLElement): Promise<void> {
  const blob = await getFile(connection, stored.id, progress)
  const same = await sha256(blob) === stored.sha256
  detail.textContent = `${readable(file.size)}, ${same ? 'the same bytes came back' : 'OTHER BYTES CAME BACK'}, SHA-256 ${stored.sha256.slice(0, 16)}…`
  const link = document.createElement('a')
  link.href = URL.createObjectURL(blob)
  link.download = file.name
  link.textContent = 'Save'
  nav.replaceChildren(link)
}

function readable (bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`
}

function find<Type extends Element> (selector: string, type: new () => Type): Type {
  const found = document.querySelector(selector)
  if (!(found instanceof type)) throw new TypeError(`no ${selector} in this page`)
  return found
}
