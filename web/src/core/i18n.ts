// Catalogue has the texts of one language: a text, or its plural forms by the names of Intl.PluralRules, chosen by {n}.
export type Catalogue = Record<string, string | Record<string, string>>
export type Language = 'en' | 'de' | 'ar'
export type Loader = Record<Language, () => Promise<{ default: Catalogue }>>
export type Params = Record<string, string | number>

export const languages: Record<Language, { name: string; dir: 'ltr' | 'rtl' }> = {
  en: { name: 'English', dir: 'ltr' },
  de: { name: 'Deutsch', dir: 'ltr' },
  ar: { name: 'العربية', dir: 'rtl' },
}

// choose takes the first language that we have of those that somebody wants.
export function choose(wanted: readonly string[]): Language {
  for (const w of wanted) {
    const base = w.toLowerCase().split('-')[0]!
    if (base in languages) return base as Language
  }
  return 'en'
}

const times: Intl.DateTimeFormatOptions = { hour: 'numeric', minute: '2-digit' }
const days: Intl.DateTimeFormatOptions = { dateStyle: 'medium' }
const moments: Intl.DateTimeFormatOptions = { dateStyle: 'full', timeStyle: 'short' }
const weekdays: Intl.DateTimeFormatOptions = { weekday: 'short' }
const monthDays: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' }
const yearDays: Intl.DateTimeFormatOptions = { ...monthDays, year: '2-digit' }

// kept makes a thing once.
function kept<K, V>(m: Map<K, V>, k: K, make: () => V): V {
  let v = m.get(k)
  if (!v) m.set(k, (v = make()))
  return v
}

// I18n finds texts. Each page brings its catalogues with it.
export class I18n {
  private texts = new Map<string, string | Record<string, string>>()
  private loaded = new Set<Loader>()
  private plural: Intl.PluralRules
  // formats are dear to make, and a page needs hundreds at once
  private dates = new Map<Intl.DateTimeFormatOptions, Intl.DateTimeFormat>()
  private numbers = new Map<string, Intl.NumberFormat>()

  constructor(readonly language: Language) {
    this.plural = new Intl.PluralRules(language)
  }

  get dir(): 'ltr' | 'rtl' {
    return languages[this.language].dir
  }

  async add(loader: Loader): Promise<void> {
    if (this.loaded.has(loader)) return
    this.put((await loader[this.language]()).default)
    this.loaded.add(loader)
  }

  put(c: Catalogue): void {
    for (const [k, v] of Object.entries(c)) this.texts.set(k, v)
  }

  // t finds a text and fills {names} in. A key that is missing shows itself.
  t = (key: string, params: Params = {}): string => {
    const found = this.texts.get(key)
    const form = typeof found === 'object' ? (found[this.plural.select(Number(params.n))] ?? found.other) : found
    return (form ?? key).replace(/\{(\w+)\}/g, (whole, name: string) => {
      const v = params[name]
      return v === undefined ? whole : typeof v === 'number' ? this.number(v) : v
    })
  }

  // Whether a text is there: codes of problems fall back to the server's words.
  has(key: string): boolean {
    return this.texts.has(key)
  }

  number(n: number, o?: Intl.NumberFormatOptions): string {
    return kept(this.numbers, o ? JSON.stringify(o) : '', () => new Intl.NumberFormat(this.language, o)).format(n)
  }

  time(at: Date): string {
    return this.as(at, times)
  }

  date(at: Date): string {
    return this.as(at, days)
  }

  full(at: Date): string {
    return this.as(at, moments)
  }

  // short is the time of today, the day of this week, the date before.
  short(at: Date, now: Date): string {
    if (at.toDateString() === now.toDateString()) return this.time(at)
    const ago = (now.getTime() - at.getTime()) / 86_400_000
    if (ago >= 0 && ago < 6) return this.as(at, weekdays)
    return this.as(at, ago > 300 ? yearDays : monthDays)
  }

  private as(at: Date, o: Intl.DateTimeFormatOptions): string {
    return kept(this.dates, o, () => new Intl.DateTimeFormat(this.language, o)).format(at)
  }

  // span says how long something took or takes: 40 s, 5 min, 3 h, 2 days.
  span(ms: number): string {
    const s = Math.max(0, Math.round(ms / 1000))
    const unit = s < 60 ? ('second' as const) : s < 3600 ? ('minute' as const) : s < 86_400 ? ('hour' as const) : ('day' as const)
    const size = { second: 1, minute: 60, hour: 3600, day: 86_400 }[unit]
    return this.number(Math.floor(s / size), { style: 'unit', unit, unitDisplay: 'narrow' })
  }
}
