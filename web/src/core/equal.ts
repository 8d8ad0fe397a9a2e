// equal tells whether two values of JSON say the same. What is the same object is not looked into.
export function equal(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false
  const was = Object.entries(a)
  return was.length === Object.keys(b).length && was.every(([k, v]) => equal(v, (b as Record<string, unknown>)[k]))
}
