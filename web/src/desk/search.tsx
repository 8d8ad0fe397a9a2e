import { useEffect, useRef, useState } from 'preact/hooks'
import { Button } from '../parts/controls'
import { Icon } from '../parts/icon'
import { useNow, useT, useWorld } from '../parts/world'
import { useDesk, useDeskState, useHere } from './context'
import { Row } from './inbox'
import { find, type Findings } from './find'

export interface SearchState {
  q: string
  type(q: string): void
  found: Findings | null
}

// useSearch answers while somebody types; the answer to earlier words never wins.
export function useSearch(): SearchState {
  const { desk } = useDesk()
  const { toasts } = useWorld()
  const [q, type] = useState('')
  const [found, set] = useState<SearchState['found']>(null)
  useEffect(() => {
    set(null)
    if (!q.trim()) return
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout>
    const ask = (wait: number, next: number) => {
      timer = setTimeout(() => {
        find(desk, q.trim(), stop.signal).then(
          (f) => stop.signal.aborted || (set(f), f.behind && ask(next, Math.min(2 * next, 15_000))),
          (e: unknown) => stop.signal.aborted || (toasts.bad(e), set({ conversations: [], messages: [], behind: false })),
        )
      }, wait)
    }
    ask(120, 1000)
    return () => (clearTimeout(timer), stop.abort())
  }, [q])
  return { q, type, found }
}

// Search finds people and words, and opens the conversation at the message.
export function Search({ search }: { search: SearchState }) {
  const t = useT()
  const field = useRef<HTMLInputElement>(null)
  return (
    <search class="search">
      <div class="search-field">
        <Icon name="search" />
        <input
          ref={field}
          id="search"
          class="input"
          type="search"
          aria-label={t('desk_search')}
          placeholder={t('desk_search')}
          value={search.q}
          autocomplete="off"
          onInput={(e) => search.type(e.currentTarget.value)}
          onKeyDown={(e) => {
            if (e.key !== 'Escape') return
            search.type('')
            field.current!.blur()
          }}
        />
        {search.q && <Button plain tight icon="close" title={t('desk_search_clear')} onClick={() => (search.type(''), field.current!.focus())} />}
      </div>
      {search.q && <Found search={search} />}
    </search>
  )
}

function Found({ search }: { search: SearchState }) {
  const t = useT()
  const { i18n } = useWorld()
  const { show } = useDesk()
  const { id, query } = useHere()
  const now = useNow(60_000)
  const conversations = useDeskState((s) => s.conversations)
  const { found } = search
  if (!found) return <p class="soft found-words">{t('desk_searching')}</p>
  const chats = found.conversations.flatMap((x) => conversations.get(x) ?? [])
  return (
    <div class="found" tabIndex={0} role="region" aria-label={t('desk_found')}>
      <p class="soft found-words" role="status">
        {chats.length + found.messages.length ? t('desk_found_n', { n: chats.length + found.messages.length }) : t('nothing_found')}
      </p>
      <ul>
        {chats.map((c) => (
          <li key={c.id}>
            <Row c={c} open={c.id === id} now={now} query={query} />
          </li>
        ))}
      </ul>
      {found.messages.length > 0 && <h2 class="found-head">{t('desk_messages')}</h2>}
      <ul>
        {found.messages.map((m) => (
          <li key={m.conversation + m.seq}>
            <button type="button" class="option found-message" onClick={() => show(m.conversation, m.seq)}>
              <span class="row">
                <strong class="cut grow">{m.contact.name}</strong>
                <span class="soft small">{i18n.short(new Date(m.at), now)}</span>
              </span>
              <span class="small found-excerpt">{m.excerpt}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  )
}
