// What the drawing of the server says: it is an SVG that is shown as a picture, and read here as text, for the page's policy lets no
// foreign markup in.

export interface Node {
  name: string
  what: string[] // its actions, in words
  count: number
  initial: boolean
  beside: boolean // no state: what leads from any state, or runs when nothing fires
  x: number
  y: number
  width: number
  height: number
}

export interface Arrow {
  from: string // as the drawing says it: a state, or any state
  to: string
  why: string
  count: number
}

export interface Graph {
  width: number
  height: number
  counted: string
  nodes: Node[]
  arrows: Arrow[]
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

// plain takes the entities out of a text.
export function plain(s: string): string {
  return s.replace(/&(#x?[0-9a-fA-F]+|\w+);/g, (whole, e: string) => {
    if (e[0] !== '#') return entities[e] ?? whole
    return String.fromCodePoint(e[1] === 'x' || e[1] === 'X' ? parseInt(e.slice(2), 16) : parseInt(e.slice(1), 10))
  })
}

const countIn = (s: string): number => Number(/class="count">(\d+)/.exec(s)?.[1] ?? 0)

// readGraph finds states and arrows with their places and counts.
export function readGraph(svg: string): Graph {
  const size = /<svg[^>]*width="([\d.]+)" height="([\d.]+)"/.exec(svg)
  const shift = /<g transform="translate\(([\d.]+) ([\d.]+)\)"/.exec(svg)
  const [dx, dy] = [Number(shift?.[1] ?? 0), Number(shift?.[2] ?? 0)]
  const nodes: Node[] = []
  const arrows: Arrow[] = []
  for (const [, kind, body] of svg.matchAll(/<g class="(node|arrow)[^"]*">([\s\S]*?)<\/g>/g)) {
    const [first = '', ...more] = plain(/<title>([\s\S]*?)<\/title>/.exec(body!)?.[1] ?? '').split('\n')
    const box = /<rect([^>]*?)x="([\d.-]+)" y="([\d.-]+)" width="([\d.]+)" height="([\d.]+)"/.exec(body!)
    if (kind === 'arrow') {
      const [from = '', to = ''] = first.split(' → ')
      arrows.push({ from, to, why: more.join(' '), count: countIn(body!) })
    } else if (box)
      nodes.push({ name: first, what: more, count: countIn(body!), initial: box[1]!.includes('initial'), beside: box[1]!.includes('beside'), x: Number(box[2]) + dx, y: Number(box[3]) + dy, width: Number(box[4]), height: Number(box[5]) })
  }
  const about = plain(/<desc[^>]*>([\s\S]*?)<\/desc>/.exec(svg)?.[1] ?? '').split('\n')
  return { width: Number(size?.[1] ?? 0), height: Number(size?.[2] ?? 0), counted: about.find((l) => l.startsWith('Counted')) ?? '', nodes, arrows }
}
