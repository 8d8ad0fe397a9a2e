import { useEffect, useState } from 'preact/hooks'
import type { Binding } from '../core/keys'
import { Button, Field } from '../parts/controls'
import { Dialog } from '../parts/overlays'
import { Pick, type Choice } from '../parts/pick'
import { useT, useWorld } from '../parts/world'
import { useDesk, useDeskState, type Asked } from './context'
import { useMore } from './lazy'

// Dialogs shows the one that is asked for.
export function Dialogs({ asked, onClose }: { asked: Asked; onClose(): void }) {
  switch (asked?.what) {
    case 'transfer':
      return <Transfer ids={asked.ids} onClose={onClose} />
    case 'snooze':
      return <Snooze ids={asked.ids} onClose={onClose} />
    case 'palette':
      return <Palette commands={asked.commands} onClose={onClose} />
    case 'tag':
    case 'keys':
    case 'action':
    case 'start':
      return <Later asked={asked} onClose={onClose} />
    default:
      return null
  }
}

// Later is a dialog that is not loaded with the desk.
function Later({ asked, onClose }: { asked: Asked & { what: 'tag' | 'keys' | 'action' | 'start' }; onClose(): void }) {
  const more = useMore(onClose)
  if (!more) return null
  switch (asked.what) {
    case 'tag':
      return <more.Tag ids={asked.ids} onClose={onClose} />
    case 'keys':
      return <more.KeyList onClose={onClose} />
    case 'action':
      return <more.RunAction id={asked.id} run={asked.run} onClose={onClose} />
    case 'start':
      return <more.Start contact={asked.contact} onClose={onClose} />
  }
}

interface AskedFor {
  ids: string[]
  onClose(): void
}

// Transfer passes on to a queue or a person, with a note that the receiver sees.
function Transfer({ ids, onClose }: AskedFor) {
  const t = useT()
  const { acts, desk } = useDesk()
  const queues = useDeskState((s) => s.queues)
  const agents = useDeskState((s) => s.agents)
  const [note, write] = useState('')
  useEffect(() => desk.around(), [])
  const choices: Choice[] = [
    ...queues.map((q): Choice => ({ id: 'q:' + q.name, title: q.title || q.name, words: q.name, icon: 'inbox', hint: <span class="soft small">{t('desk_queue')}</span> })),
    ...agents
      .filter((a) => a.id !== desk.me)
      .map((a): Choice => ({
        id: 'a:' + a.id,
        title: a.name || a.id,
        icon: 'person',
        hint: <span class="soft small">{a.available ? t('desk_agent_load', { n: a.load }) : t('desk_agent_away')}</span>,
      })),
  ]
  // who is away was shown as away: to choose that person is to mean it
  const away = (id: string) => agents.find((a) => a.id === id)?.available === false
  const pick = (c: Choice) => {
    onClose()
    const [kind, name] = [c.id.slice(0, 1), c.id.slice(2)]
    for (const id of ids) void acts.transfer(id, kind === 'q' ? { queue: name } : { agent: name, ...(away(name) ? { force: true } : {}) }, c.title, note.trim())
  }
  return (
    <Dialog title={t('desk_transfer')} onClose={onClose}>
      <Pick label={t('desk_transfer_to')} choices={choices} onPick={pick} />
      <Field label={t('desk_transfer_note')} hint={t('desk_transfer_note_hint')}>
        {(a) => <textarea class="input" rows={3} maxLength={4000} {...a} value={note} onInput={(e) => write(e.currentTarget.value)} />}
      </Field>
    </Dialog>
  )
}

// moments are usual ends of a rest.
function moments(now: Date): { key: string; at: Date | null }[] {
  const day = (days: number, hour: number) => {
    const d = new Date(now)
    d.setDate(d.getDate() + days)
    d.setHours(hour, 0, 0, 0)
    return d
  }
  const monday = ((8 - now.getDay()) % 7) || 7
  return [
    { key: 'reply', at: null },
    { key: 'hour', at: new Date(now.getTime() + 3600_000) },
    { key: 'three_hours', at: new Date(now.getTime() + 3 * 3600_000) },
    { key: 'tomorrow', at: day(1, 9) },
    { key: 'monday', at: day(monday, 9) },
  ]
}

// Snooze lets a conversation rest until a time or the contact's next message, whichever is first.
function Snooze({ ids, onClose }: AskedFor) {
  const t = useT()
  const { i18n } = useWorld()
  const { acts } = useDesk()
  const [now] = useState(() => new Date())
  const [own, set] = useState('')
  const all = moments(now)
  const snooze = (at: Date | null) => {
    onClose()
    for (const id of ids) void acts.snooze(id, at)
  }
  return (
    <Dialog title={t('desk_snooze')} onClose={onClose}>
      <p class="soft">{t('desk_snooze_about')}</p>
      <Pick
        label={t('desk_snooze_until')}
        choices={all.map((m) => ({ id: m.key, title: t('desk_until_' + m.key), hint: m.at && <span class="soft small">{i18n.full(m.at)}</span> }))}
        onPick={(c) => snooze(all.find((m) => m.key === c.id)!.at)}
      />
      <form
        class="row"
        onSubmit={(e) => {
          e.preventDefault()
          if (own && Date.parse(own) > Date.now()) snooze(new Date(own))
        }}
      >
        <div class="grow">
          <Field label={t('desk_own_time')} type="datetime-local" value={own} onInput={(e) => set(e.currentTarget.value)} />
        </div>
        <Button type="submit" disabled={!own || Date.parse(own) <= Date.now()} class="own-time">
          {t('desk_snooze')}
        </Button>
      </form>
    </Dialog>
  )
}

// keyWords shows a binding's key as keyboards have it.
export function keyWords(keys: string): string {
  const mac = /Mac|iP/.test(navigator.platform)
  return keys.split('+').map((k) => (k === 'Mod' ? (mac ? '⌘' : 'Ctrl') : k === 'Enter' ? '↵' : k.length === 1 ? k.toLocaleUpperCase() : k)).join(mac ? '' : '+')
}

// Palette runs every command and shows each one's key, so that it teaches; and it jumps to conversations by name.
function Palette({ commands, onClose }: { commands: Binding[]; onClose(): void }) {
  const t = useT()
  const { keys } = useWorld()
  const { show, desk } = useDesk()
  const [conversations] = useState(() => [...desk.state.conversations.values()].slice(0, 300))
  const choices: Choice[] = [
    ...commands.map((b): Choice => ({ id: b.id, title: b.title, words: b.id, hint: keys.keysOf(b) ? <kbd>{keyWords(keys.keysOf(b))}</kbd> : null })),
    ...conversations.map((c): Choice => ({ id: 'c:' + c.id, title: c.contact.name || c.thread.address, words: c.thread.address, icon: 'desk' })),
  ]
  const pick = (c: Choice) => {
    onClose()
    // once the palette has given the focus back, and before the next key comes
    queueMicrotask(() => (c.id.startsWith('c:') ? show(c.id.slice(2)) : commands.find((b) => b.id === c.id)?.run()))
  }
  return (
    <Dialog title={t('desk_palette')} onClose={onClose} bare>
      <div class="palette">
        <Pick label={t('desk_palette')} placeholder={t('desk_palette_hint')} choices={choices} onPick={pick} />
      </div>
    </Dialog>
  )
}
