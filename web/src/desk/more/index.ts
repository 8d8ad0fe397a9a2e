import type { Loader } from '../../core/i18n'

// What is not needed at once, in a chunk of its own: forms and dialogs that are used now and then.
export { Known } from './contact'
export { KeyList } from './keys'
export { RunAction } from './run'
export { Start } from './start'
export { Tag } from './tag'

export const catalogues: Loader = {
  en: () => import('./locales/en.json'),
  de: () => import('./locales/de.json'),
  ar: () => import('./locales/ar.json'),
}
