// locate finds where in a JSON text the value at a path stands: states[1].events[0].say. What is not there is looked for at its parent.
export function locate(text: string, path: string): { from: number; to: number } {
  const steps = [...path.matchAll(/[^.[\]]+/g)].map((m) => m[0])
  let i = 0
  let found = { from: 0, to: 0 }
  const space = () => {
    while (/\s/.test(text[i] ?? '')) i++
  }
  const string = (): string => {
    const from = i++
    while (i < text.length && text[i] !== '"') i += text[i] === '\\' ? 2 : 1
    i++
    try {
      return JSON.parse(text.slice(from, i)) as string
    } catch {
      return text.slice(from + 1, i - 1)
    }
  }
  // value reads one value; depth is how many steps have led to it, -1 when it is beside the way
  const value = (depth: number): void => {
    space()
    const inside = (key: string) => (depth >= 0 && steps[depth] === key ? depth + 1 : -1)
    if (text[i] === '{' || text[i] === '[') {
      const close = text[i] === '{' ? '}' : ']'
      i++
      for (let n = 0; i < text.length; n++) {
        space()
        if (text[i] === close) break
        let key = String(n)
        const at = i
        if (close === '}') {
          if (text[i] !== '"') break
          key = string()
          space()
          if (text[i] === ':') i++
        }
        const next = inside(key)
        value(next)
        if (next > 0 && found.to === 0) found = { from: at, to: i }
        space()
        if (text[i] === ',') i++
        else break
      }
      i++
    } else if (text[i] === '"') string()
    else while (i < text.length && !/[\s,\]}]/.test(text[i]!)) i++
  }
  value(0)
  return found
}

// lineOf is the number of the line in which a place of a text is, from 1.
export function lineOf(text: string, at: number): number {
  let n = 1
  for (let i = 0; i < at; i++) if (text[i] === '\n') n++
  return n
}
