// Sample is one figure of /metrics.
export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

// readMetrics reads Prometheus' text format; lines that it does not know are left out.
export function readMetrics(text: string): Sample[] {
  const out: Sample[] = []
  for (const line of text.split('\n')) {
    const m = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line)
    if (!m) continue
    const labels: Record<string, string> = {}
    for (const [, k, v] of (m[2] ?? '').matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g)) labels[k!] = v!.replace(/\\(.)/g, (_, c: string) => (c === 'n' ? '\n' : c))
    const value = m[3] === '+Inf' ? Infinity : Number(m[3])
    if (!Number.isNaN(value)) out.push({ name: m[1]!, labels, value })
  }
  return out
}

// sum adds up the samples of a name that have the given labels.
export function sum(samples: Sample[], name: string, labels: Record<string, string> = {}): number {
  const wanted = Object.entries(labels)
  return samples.filter((s) => s.name === name && wanted.every(([k, v]) => s.labels[k] === v)).reduce((n, s) => n + s.value, 0)
}
