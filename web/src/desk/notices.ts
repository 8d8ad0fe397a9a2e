import { useEffect, useRef, useState } from 'preact/hooks'
import { deskTabs, setDeskTabs } from '../core/tabs'
import { useT, useWorld } from '../parts/world'
import { useDesk, useHere } from './context'
import { textOf, type Event } from './types'

// useNotices tells of what comes in: a sound, a desktop notice while the page is hidden, and words for screen readers, which it answers.
export function useNotices(): string {
  const t = useT()
  const { desk, show } = useDesk()
  const { id } = useHere()
  const { settings } = useWorld()
  const [words, say] = useState('')
  const latest = useRef({ settings, id, show })
  latest.current = { settings, id, show }
  useEffect(() => {
    desk.onIn = (e) => {
      const c = desk.state.conversations.get(e.conversation!)
      const offered = e.kind === 'offered'
      const named = e.kind === 'note'
      if (offered ? !desk.offeredToMe(e.conversation!) : !named && c?.assignee !== desk.me) return
      const { settings: s, id: open } = latest.current
      const name = c?.contact.name || c?.thread.address || ''
      const text = offered ? t('desk_new_offer', { name }) : named ? t('desk_new_mention', { who: e.sender?.name ?? '', name }) : t('desk_new_message', { name })
      if (e.conversation !== open || document.hidden) say(text)
      if (s.sound) ring()
      if (s.notices && document.hidden) notify(text, e, () => latest.current.show(e.conversation!))
    }
    return () => void (desk.onIn = () => {})
  }, [desk])
  return words
}

function notify(title: string, e: Event, open: () => void): void {
  if (typeof Notification === 'undefined' || Notification.permission !== 'granted') return
  const n = new Notification(title, { body: textOf(e.message).slice(0, 120), tag: e.conversation ?? '' })
  n.onclick = () => {
    focus()
    open()
    n.close()
  }
}

let audio: AudioContext | undefined

// ring is two short soft tones; before the first click the browser keeps it silent.
function ring(): void {
  if (typeof AudioContext === 'undefined') return
  audio ??= new AudioContext()
  if (audio.state !== 'running') {
    void audio.resume().catch(() => {})
    return
  }
  const at = audio.currentTime
  for (const [i, tone] of [660, 880].entries()) {
    const o = audio.createOscillator()
    const g = audio.createGain()
    o.frequency.value = tone
    g.gain.setValueAtTime(0, at + i * 0.12)
    g.gain.linearRampToValueAtTime(0.08, at + i * 0.12 + 0.02)
    g.gain.exponentialRampToValueAtTime(0.001, at + i * 0.12 + 0.18)
    o.connect(g).connect(audio.destination)
    o.start(at + i * 0.12)
    o.stop(at + i * 0.12 + 0.2)
  }
}

// useLeaving sets the agent to inactive when the last tab of the desk closes, and back when it was only loaded anew.
export function useLeaving(): void {
  const { desk } = useDesk()
  const { keep, api } = useWorld()
  useEffect(() => {
    const id = String(Math.random())
    const backPlace = 'dragoman.back.' + desk.me // the next one who signs in here is somebody else
    const here = () => setDeskTabs(keep, { ...deskTabs(keep), [id]: Date.now() })
    const back = sessionStorage.getItem(backPlace)
    // kept until the hub has it: who loads the page twice in a row is not forgotten
    if (back) desk.setMyState(back).then(() => sessionStorage.removeItem(backPlace), () => {})
    here()
    const timer = setInterval(here, 20_000)
    const leave = () => {
      const { [id]: _, ...others } = deskTabs(keep)
      setDeskTabs(keep, others)
      const me = desk.state.agents.find((a) => a.id === desk.me)
      if (Object.keys(others).length || !me?.available) return
      sessionStorage.setItem(backPlace, me.state)
      // not by the client: the page does not live to read the answer
      void fetch(`/v1/agents/${desk.me}/state`, {
        method: 'POST',
        keepalive: true,
        headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': api.csrf },
        body: JSON.stringify({ state: 'inactive' }),
      })
    }
    addEventListener('pagehide', leave)
    return () => {
      clearInterval(timer)
      removeEventListener('pagehide', leave)
      const { [id]: _, ...others } = deskTabs(keep)
      setDeskTabs(keep, others)
    }
  }, [desk])
}
