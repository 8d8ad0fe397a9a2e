import { expect, test } from 'vitest'
import { choose, I18n, type Catalogue } from './i18n'

const files = import.meta.glob<Catalogue>('../**/locales/*.json', { eager: true, import: 'default' })
const holes = (v: string | Record<string, string>) => [...new Set(JSON.stringify(v).match(/\{\w+\}/g) ?? [])].sort()

test('all languages say the same', () => {
  expect(Object.keys(files).length).toBeGreaterThanOrEqual(15)
  for (const [path, english] of Object.entries(files)) {
    if (!path.endsWith('/en.json')) continue
    for (const language of ['de', 'ar']) {
      const other = files[path.replace('en.json', language + '.json')]
      expect(other, path + ' in ' + language).toBeDefined()
      expect(Object.keys(other!).sort(), `${path} in ${language}`).toEqual(Object.keys(english).sort())
      for (const key of Object.keys(english)) {
        if (language !== 'ar' || typeof english[key] === 'string') expect(holes(other![key]!), `${key} in ${language}`).toEqual(holes(english[key]!))
        const forms = new Intl.PluralRules(language).resolvedOptions().pluralCategories
        if (typeof other![key] === 'object') expect(Object.keys(other![key] as object).sort(), key).toEqual([...forms].sort())
      }
    }
  }
})

test('keys belong to one page alone', () => {
  const seen = new Map<string, string>()
  for (const [path, words] of Object.entries(files)) {
    if (!path.endsWith('/en.json')) continue
    for (const key of Object.keys(words)) {
      expect(seen.get(key), key + ' of ' + path).toBeUndefined()
      seen.set(key, path)
    }
  }
})

test('texts: holes, plural forms, what is missing', () => {
  const de = new I18n('de')
  de.put({ hi: 'Hallo {name}', chats: { one: '{n} Chat', other: '{n} Chats' } })
  expect(de.t('hi', { name: '{name} $& <b>' })).toBe('Hallo {name} $& <b>')
  expect(de.t('chats', { n: 1 })).toBe('1 Chat')
  expect(de.t('chats', { n: 1234 })).toBe('1.234 Chats')
  expect(de.t('hi')).toBe('Hallo {name}')
  expect(de.t('gone')).toBe('gone')
  expect(de.span(42_000)).toMatch(/42/)
})

test('the first language that we have', () => {
  expect(choose(['fr', 'de-AT', 'en'])).toBe('de')
  expect(choose(['AR-eg'])).toBe('ar')
  expect(choose([])).toBe('en')
})
