// Making elements, and messages of elements. Nothing here is ever read as HTML.
import type { Part } from './wire'

// h makes an element with these properties.
export const h = <T extends keyof HTMLElementTagNameMap>(tag: T, props?: object, ...inside: unknown[]): HTMLElementTagNameMap[T] => {
  const e = Object.assign(document.createElement(tag), props)
  e.append(...(inside.filter(Boolean) as Node[]))
  return e
}

export const button = (text: string, onclick: () => void, className = ''): HTMLButtonElement => h('button', { type: 'button', className, onclick }, text)

const link = (href: string, ...inside: unknown[]) => h('a', { href, target: '_blank', rel: 'noreferrer' }, ...inside)

// part draws one thing; links to files are the hub's. Without pick nothing can be pressed any more.
export const part = (p: Part, hub: string, pick?: (title: string, payload: string) => void): Node => {
  const url = p.url && new URL(p.url, hub).href
  const alt = p.name || p.title || p.type
  const words = p.words ?? [[p.text]]
  const picks = p.buttons?.map((b) => (b.url ? link(b.url, b.title) : pick && button(b.title, () => pick(b.title, b.payload!), 'pill'))).filter(Boolean) ?? []
  const img: Element = h('img', { alt, onerror: () => img.replaceWith(alt) }) // where the page's policy lets no image in
  const picture = /image|card/.test(p.type)
  if (picture && url) (img as HTMLImageElement).src = url
  return h(
    'div', {},
    url && link(url, picture ? img : alt),
    p.title && h('b', {}, p.title),
    p.text && h('p', {}, ...words.map(([text, tag, href]) => (href ? link(href, text) : h((tag || 'span') as 'b', {}, text)))),
    picks[0] && h('nav', {}, ...picks),
  )
}
