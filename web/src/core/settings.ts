import { choose, type Language } from './i18n'
import type { KeySettings } from './keys'
import type { Keep } from './keep'

// Settings are what somebody likes, in this browser.
export interface Settings {
  theme: 'auto' | 'light' | 'dark'
  language: Language
  keys: KeySettings
  sound: boolean
  notices: boolean // of the desktop
}

const place = 'dragoman.settings'

export function readSettings(keep: Keep, wanted: readonly string[]): Settings {
  const s: Settings = { theme: 'auto', language: choose(wanted), keys: { single: true, own: {} }, sound: true, notices: false }
  try {
    const kept = JSON.parse(keep.get(place) ?? '{}') as Partial<Settings>
    if (kept.theme === 'light' || kept.theme === 'dark') s.theme = kept.theme
    if (kept.language) s.language = choose([kept.language])
    if (kept.keys && typeof kept.keys.own === 'object') s.keys = { single: kept.keys.single !== false, own: { ...kept.keys.own } }
    if (kept.sound === false) s.sound = false
    if (kept.notices === true) s.notices = true
  } catch {
    // what cannot be read is as if it were not there
  }
  return s
}

export function writeSettings(keep: Keep, s: Settings): void {
  keep.set(place, JSON.stringify(s))
}
