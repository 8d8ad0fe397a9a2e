import type { Loader } from '../core/i18n'
import { Empty } from '../parts/controls'
import { useT } from '../parts/world'

export const catalogues: Loader = {
  en: () => import('./locales/en.json'),
  de: () => import('./locales/de.json'),
  ar: () => import('./locales/ar.json'),
}

export default function Desk() {
  const t = useT()
  return <Empty title={t('desk_title')} />
}
