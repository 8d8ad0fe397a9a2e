import type { Values } from '../kit/form'
import type { Known } from '../kit/people'

type T = (key: string, p?: Record<string, string | number>) => string

// sentences say what a queue does, in the order in which it happens.
export function sentences(v: Values, known: Known, t: T): string[] {
  const s = (v.settings ?? {}) as Values
  const n = (key: string): number => Number(s[key] ?? 0)
  const members = (v.members as string[] | undefined) ?? []
  const nameOf = (id: string) => {
    const team = id.startsWith('team:')
    const found = (team ? known.teams : known.agents).find((x) => x.id === (team ? id.slice(5) : id))
    return found?.title ?? id
  }
  const out: string[] = []
  const say = (key: string, p: Record<string, string | number> = {}) => out.push(t('admin_say_' + key, p))
  say('rule_' + String(v.rule))
  if (members.length === 0) say('nobody')
  else say('members', { names: members.slice(0, 6).map(nameOf).join(', ') + (members.length > 6 ? ` +${members.length - 6}` : '') })
  if (v.rule === 'skills') say('skills', { skills: Object.entries((s.skills ?? {}) as Record<string, number>).map(([k, x]) => `${k} ≥ ${x}`).join(', ') || '—' })
  if (v.rule !== 'everyone') say('accept', { time: span(n('accept_seconds') || 300) })
  const then = (x: unknown): string => {
    const c = (x ?? {}) as { queue?: string; flow?: string; say?: string; close?: boolean }
    const parts = [c.say && t('admin_then_say', { text: c.say }), c.queue && t('admin_then_queue', { name: c.queue }), c.flow && t('admin_then_flow', { name: c.flow }), c.close && t('admin_then_close')]
    return parts.filter(Boolean).join(', ') || t('admin_then_wait')
  }
  if (s.hours) say('closed', { hours: String(s.hours), then: then(s.when_closed) })
  if (n('limit')) say('full', { n: n('limit'), then: then(s.when_full) })
  if (n('max_wait_seconds')) say('too_long', { time: span(n('max_wait_seconds')), then: then(s.after_max_wait) })
  if (s.tell_wait) say('tell')
  if (n('first_reply_seconds')) say('first_reply', { time: span(n('first_reply_seconds')) })
  if (n('next_reply_seconds')) say('next_reply', { time: span(n('next_reply_seconds')) })
  if (n('target_percent') && n('target_seconds')) say('target', { percent: n('target_percent'), time: span(n('target_seconds')) })
  if (n('close_after_minutes')) say(s.close_counts === 'any' ? 'close_any' : 'close_ours', { time: span(n('close_after_minutes') * 60) })
  if (n('reopen_minutes')) say('reopen', { time: span(n('reopen_minutes') * 60) })
  return out
}

// span writes a time as 1:30 h, 5 min, 40 s.
export function span(seconds: number): string {
  if (seconds < 120) return `${seconds} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return `${Math.round((seconds / 3600) * 10) / 10} h`
}
