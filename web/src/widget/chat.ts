// The element: a button, and a panel that does not take the page away.
import { button, h, part } from './draw'
import { hears, kept, lose, outbox, save } from './keep'
import * as link from './link'
import style from './widget.css?inline'
import type { Config, Item, Said } from './wire'

const typingTime = 6000 // a notice that nobody ends goes by itself

// The tag that a page has: <script src="https://hub/widget.js" data-channel="..." async></script>
const { src, dataset } = document.currentScript as HTMLScriptElement
const hub = new URL(src).origin

let me: Chat
let isOpen = false
let down = false
let typed = 0
let typingTimer = 0
let dressed: Config | undefined
let note = '' // a line that stays until something else is to say
const rows = new Map<string, [as: string, row: HTMLElement]>()

// t is a text of the configuration.
const t = (name: string, fill?: unknown): string => (kept.config?.texts[name] ?? '').replace(/{\w+}/, fill as string)

const tell = (kind: string, detail?: unknown) => me.dispatchEvent(new CustomEvent(kind, { detail }))

const badge = h('b', { hidden: true })
const launch = button('', () => (isOpen ? me.close() : me.open()), 'me launch')
launch.append(h('i'), badge)
launch.ariaLabel = 'Chat'
const title = h('h2')
const menu = h('details')
const shut = button('✕', () => me.close())
const thread = h('div')
const list = h('div', { className: 'list', role: 'log', ariaLive: 'off', tabIndex: 0 }, thread)
const typing = h('small', { hidden: true })
const line = h('small', { role: 'status' })
const news = h('small', { className: 'sr', role: 'status' }) // what came, for those who listen
const rate = h('div', { hidden: true })
const ask = h('div')
const text = h('textarea', { rows: 1, maxLength: 8000, oninput: () => writes() })
const file = h('input', { type: 'file', multiple: true, hidden: true, onchange: () => take(file.files) })
const attach = button('+', () => file.click())
const send = h('button', { className: 'me' }, '➤')
const form = h('form', { onsubmit: (e: Event) => submit(e) }, ask, text, file, attach, send)
const panel = h(
  'div',
  {
    className: 'panel', role: 'dialog', ondragover: (e: Event) => e.preventDefault(),
    ondrop: (e: DragEvent) => take(e.dataTransfer?.files, e), onpaste: (e: ClipboardEvent) => take(e.clipboardData?.files, e),
  },
  h('header', { className: 'me' }, title, menu, shut), list, typing, rate, line, form, news,
)

// What is typed here is not for the page.
panel.onkeyup = panel.onkeypress = (e) => e.stopPropagation()
panel.onkeydown = (e) => {
  e.stopPropagation()
  if (e.key === 'Escape') me.close()
  if (e.key === 'Enter' && e.target === text && !e.shiftKey && !e.isComposing) submit(e)
}

export class Chat extends HTMLElement {
  constructor() {
    super()
    me = this
    const root = this.attachShadow({ mode: 'open' })
    root.adoptedStyleSheets = [sheet]
    root.append(panel, launch)
  }

  connectedCallback(): void {
    hears(draw)
    link.begin(hub, dataset.channel!, dataset.lang || document.documentElement.lang || navigator.language, { came, typing: types, line: (up) => draw((down = !up)) })
    draw()
    if (outbox()[0] || kept.state?.open) {
      link.follow()
      link.flush()
    }
  }

  disconnectedCallback(): void {
    link.end()
    clearTimeout(typingTimer)
  }

  open(): void {
    if (isOpen) return
    isOpen = true
    draw()
    ;(ask.querySelector('input') ?? text).focus()
    tell('open')
    start()
  }

  close(): void {
    if (!isOpen) return
    isOpen = false
    draw()
    launch.focus()
  }

  // identify goes on as a user of the site, by what its server signed; null: as nobody.
  identify = link.identify
}

const sheet = new CSSStyleSheet()
sheet.replaceSync(style)

// start brings the local copy up to date, and lets the flow speak where it speaks first.
const start = async (): Promise<void> => {
  try {
    if ((await link.configure()).speaks_first) await link.post('conversations', { id: link.name() })
    if (kept.token) link.follow()
    down = false
  } catch {
    down = true
    setTimeout(() => isOpen && me.isConnected && start(), 3000)
  }
  draw()
}

const came = (m: Item): void => {
  types('')
  const said = m.parts.map((p) => p.title ?? p.text ?? p.name).join(' ')
  news.textContent = `${m.name ?? t(m.from)}: ${said}`
  tell('message', m)
}

const types = (name: string, yes?: boolean): void => {
  clearTimeout(typingTimer)
  typing.hidden = !yes
  typing.textContent = t('typing', name || t('bot'))
  if (yes) typingTimer = setTimeout(types, typingTime, '')
}

// writes tells that the visitor does, every three seconds at the most.
const writes = (): void => {
  if (Date.now() - typed < 3000 || !kept.state?.open) return
  typed = Date.now()
  link.post('typing', {})
}

const submit = (e: Event): void => {
  e.preventDefault()
  const said = text.value.trim()
  if (!said || !form.reportValidity()) return
  text.value = ''
  say({ text: said })
}

const say = (m: Partial<Said>): void => {
  note = ''
  link.say({ ...m, form: Object.fromEntries([...ask.querySelectorAll('input')].map((i) => [i.name, i.value])) })
  list.scrollTop = 0 // its end
  text.focus()
}

// large says how large a file may be.
const large = () => t('large', kept.config!.files! >> 20)

// take sends files that were chosen, pasted or dropped.
const take = async (files?: FileList | null, e?: Event): Promise<void> => {
  const limit = kept.config?.files
  if (!files?.[0] || !limit) return
  e?.preventDefault()
  for (const f of [...files]) {
    try {
      if (f.size > limit) throw 0
      const id = await link.upload(f, (n) => draw((note = `${f.name} ${Math.round(n * 100)} %`)))
      say({ files: [id], names: f.name })
    } catch {
      draw((note = `${f.name}: ${f.size > limit ? large() : t('failed')}`))
    }
  }
  file.value = ''
}

// draw shows what is kept. It runs after every change, and touches only what is different.
const draw = (_?: unknown): void => {
  const { config, state, items } = kept
  panel.hidden = !isOpen
  launch.ariaExpanded = isOpen + ''
  if (dressed !== config) dress((dressed = config!))
  const shown = items.filter((m) => !m.gone)
  const unread = shown.filter((m) => m.unread)
  if (isOpen && !document.hidden && unread[0]) {
    for (const m of unread) m.unread = false
    link.post('receipts', { status: 'read', pos: unread.at(-1)!.pos })
    return save()
  }
  const count = unread.length ? unread.length + '' : ''
  if (count !== badge.textContent) tell('unread', unread.length)
  badge.textContent = count
  badge.hidden = !count
  if (!isOpen) return
  drawList(shown)
  line.textContent = down ? t('offline') : note || (state ?? config)?.line || ''
  if (state?.rates == rate.hidden) {
    rate.hidden = !state?.rates
    rate.replaceChildren(t('rate'), ...[1, 2, 3, 4, 5].map((n) => Object.assign(button('★', () => rated(n)), { ariaLabel: t('stars', n) })))
  }
  const fields = (!state?.open && !outbox()[0] && config?.form) || []
  if (fields.length !== ask.childElementCount) {
    ask.replaceChildren(...fields.map((f) => h('label', {}, f.label, h('input', { name: f.name, required: f.required, type: f.name, autocomplete: f.name }))))
  }
}

// dress puts words and colours on.
const dress = (c: Config): void => {
  panel.lang = c.language
  panel.dir = /^(ar|fa|he|ur)/.test(c.language) ? 'rtl' : 'ltr'
  panel.ariaLabel = title.textContent = c.title
  for (const [name, e] of Object.entries({ open: launch, log: list, send, attach, close: shut, write: text })) e.ariaLabel = t(name)
  text.placeholder = t('write')
  attach.title = large()
  attach.hidden = !c.files
  if (c.color) sheet.replaceSync(`${style}:host{--main:${c.color};--on:${c.on_color}}`)
  menu.replaceChildren(h('summary', { ariaLabel: t('more') }, '⋯'), h('div', {}, button(t('save'), saveAll), button(t('forget'), forget)))
}

const saveAll = async (): Promise<void> => {
  menu.open = false
  const href = URL.createObjectURL(await (await link.call('GET', 'transcript?lang=' + panel.lang)).blob())
  h('a', { href, download: 'chat.txt' }).click()
}

const forget = async (): Promise<void> => {
  menu.open = false
  if (!confirm(t('sure'))) return
  await link.call('DELETE', 'me')
  outbox(() => [])
  note = t('forgotten')
  lose()
}

const rated = async (value: number): Promise<void> => {
  await link.post('rating', { value })
  note = t('thanks')
  save({ state: { ...kept.state!, rates: false } })
  text.focus()
}

const drawList = (shown: Item[]): void => {
  const want: Node[] = []
  const { config, older, read } = kept
  const waiting = outbox()
  const mine = waiting[0] ? 1e9 : shown.findLastIndex((m) => m.from === 'me')
  // row draws what was not drawn as it is now
  const row = (key: string, as: unknown, make: () => HTMLElement) => {
    let had = rows.get(key)
    if (had?.[0] !== as + '') rows.set(key, (had = [as + '', make()]))
    want.push(had![1])
  }
  const bubble = (from: string, name: string, way: string | false, ...inside: unknown[]) =>
    h('div', { className: 'row ' + from }, h('span', { className: from === 'agent' ? 'who' : 'sr' }, name + ':'), ...inside, way && h('small', { className: way }, t(way)))
  if (older) row('older', 0, () => button(t('older'), more, 'pill'))
  else if (config?.greeting) row('greeting', 0, () => bubble('bot', t('bot'), false, h('p', {}, config.greeting)))
  shown.forEach((m, i) => {
    const way = m.from === 'me' && (m.pos < read! ? 'read' : kept.state?.taken ? 'delivered' : 'sent')
    const pick = i > mine ? (title: string, payload: string) => say({ choice: { title, payload } }) : undefined
    row(m.id ?? m.key, [way, !pick, JSON.stringify(m.parts)], () => bubble(m.from, m.name ?? t(m.from), way, ...m.parts.map((p) => part(p, hub, pick))))
  })
  for (const m of waiting) {
    const failed = m.way === 'failed'
    row(m.id, m.way, () =>
      bubble('me', t('you'), !failed && (m.way ?? 'pending'), h('p', {}, m.text ?? m.choice?.title ?? m.names), failed && button(t('failed'), () => link.mark(m.id), 'pill')))
  }
  const was = thread.childNodes
  if (was.length !== want.length || want.some((e, i) => e !== was[i])) thread.replaceChildren(...want)
}

const more = async (): Promise<void> => {
  const { older, messages } = await link.page(kept.older)
  save({ older, items: [...messages, ...kept.items] })
}
