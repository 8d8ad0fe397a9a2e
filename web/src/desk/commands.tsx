import { may } from '../core/session'
import { useKeys, useT, useWorld } from '../parts/world'
import { lastOwn } from './acts'
import { composerActs } from './composer'
import { useDesk, useHere, type Editing } from './context'
import { extensible, useMyOffers } from './offers'
import { seen } from './state'
import { viewNames } from './views'
import { useStep } from './walk'

// Commands are everything that the desk does by keys; the palette and the list of keys show the same ones.
export function Commands({ asked, panel }: { asked: boolean; panel: { open: boolean; toggle(): void } }) {
  const t = useT()
  const { desk, acts, ask, show, setView, edit } = useDesk()
  const { id, view } = useHere()
  const { toasts, keys, session, signOut } = useWorld()
  const step = useStep()
  const offers = useMyOffers()
  const free = () => !asked
  const c = () => (id ? seen(desk.state, id) : undefined)
  const open = () => free() && c() !== undefined && c()!.state !== 'closed'
  const mine = () => open() && c()!.assignee === desk.me
  const first = () => (id && desk.offeredToMe(id) ? id : offers[0]?.[0])
  const picked = () => (desk.state.picked.size ? [...desk.state.picked] : id ? [id] : [])
  const accept = () => {
    const to = first()
    if (to) void acts.accept(to).then((done) => done && show(to))
    else if (open() && !mine()) void acts.take(id)
  }
  const closeAll = (next: boolean) => {
    const ids = picked()
    if (next) step(1)
    if (ids.length > 1) void acts.many(ids, { act: 'close' }, { state: 'closed' }, t('desk_closed_n', { n: ids.length }))
    else if (ids[0]) void acts.close(ids[0])
  }
  const last = () => (open() ? lastOwn(desk, id) : undefined)
  const change = (what: Editing) => {
    if (!panel.open) panel.toggle()
    edit(what)
  }
  const state = (name: string) => void desk.setMyState(name).catch((e: unknown) => toasts.bad(e))
  useKeys([
    { id: 'palette', keys: 'Mod+K', title: t('desk_palette'), anywhere: true, when: free, run: () => ask({ what: 'palette', commands: keys.list.filter((b) => b.id !== 'palette' && (!b.when || b.when())) }) },
    { id: 'next', keys: 'J', title: t('desk_next'), when: free, run: (e) => step(1, e?.timeStamp) },
    { id: 'previous', keys: 'K', title: t('desk_previous'), when: free, run: (e) => step(-1, e?.timeStamp) },
    { id: 'accept', keys: 'A', title: t('desk_accept_take'), when: () => free() && (first() !== undefined || (open() && !mine())), run: accept },
    { id: 'decline', keys: 'D', title: t('desk_decline'), when: () => free() && first() !== undefined, run: () => void acts.decline(first()!) },
    { id: 'extend', keys: 'M', title: t('desk_extend'), when: () => free() && extensible(desk.state.offers.get(first() ?? '')), run: () => void acts.extend(first()!) },
    { id: 'reply', keys: 'R', title: t('desk_reply'), when: open, run: () => composerActs.current?.focus(false) },
    { id: 'note', keys: 'N', title: t('desk_write_note'), when: open, run: () => composerActs.current?.focus(true) },
    { id: 'attach', keys: 'F', title: t('desk_attach'), when: open, run: () => composerActs.current?.attach() },
    { id: 'transfer', keys: 'T', title: t('desk_transfer'), when: open, run: () => ask({ what: 'transfer', ids: picked() }) },
    { id: 'snooze', keys: 'Z', title: t('desk_snooze'), when: mine, run: () => ask({ what: 'snooze', ids: picked() }) },
    { id: 'close', keys: 'E', title: t('desk_close'), when: () => free() && picked().length > 0 && (desk.state.picked.size > 0 || open()), run: () => closeAll(false) },
    { id: 'close-next', keys: 'Shift+E', title: t('desk_close_next'), when: open, run: () => closeAll(true) },
    { id: 'tag', keys: 'L', title: t('desk_tag'), when: () => free() && picked().length > 0, run: () => ask({ what: 'tag', ids: picked() }) },
    { id: 'pick', keys: 'X', title: t('desk_pick_this'), when: () => free() && id !== '', run: () => desk.store.do({ do: 'pick', ids: [id], on: !desk.state.picked.has(id) }) },
    { id: 'undo', keys: 'Mod+Z', title: t('undo'), when: free, run: () => void acts.undo() },
    { id: 'panel', keys: 'C', title: t('desk_panel'), when: () => free() && id !== '', run: panel.toggle },
    { id: 'action', keys: 'O', title: t('desk_action'), when: open, run: () => ask({ what: 'action', id }) },
    { id: 'fields', keys: 'I', title: t('desk_edit_fields'), when: () => free() && id !== '' && desk.state.fields.some((f) => f.of === 'conversation'), run: () => change('fields') },
    { id: 'contact', keys: '', title: t('desk_edit_contact'), when: () => free() && id !== '' && may(session, 'contacts.write'), run: () => change('contact') },
    { id: 'start', keys: 'B', title: t('desk_start'), when: () => free() && may(session, 'conversations.write'), run: () => ask({ what: 'start' }) },
    { id: 'edit-last', keys: '', title: t('desk_edit_last'), when: () => last() !== undefined, run: () => void composerActs.current?.editLast() },
    { id: 'take-back', keys: '', title: t('desk_take_back_last'), when: () => last() !== undefined, run: () => void acts.takeBack(id, last()!.seq) },
    { id: 'mention', keys: '', title: t('desk_mention'), when: open, run: () => composerActs.current?.mention() },
    { id: 'search', keys: '/', title: t('desk_search'), when: free, run: () => document.getElementById('search')?.focus() },
    ...viewNames.map((name, i) => ({ id: 'view-' + name, keys: String(i + 1), title: t('desk_show_view', { view: t('desk_view_' + name) }), when: free, run: () => setView({ ...view, name, state: '' }) })),
    { id: 'active', keys: '', title: t('desk_go_active'), when: free, run: () => state('active') },
    { id: 'inactive', keys: '', title: t('desk_go_inactive'), when: free, run: () => state('inactive') },
    { id: 'sign-out', keys: '', title: t('sign_out'), when: free, run: signOut },
    { id: 'keys', keys: '?', title: t('desk_keys'), when: free, run: () => ask({ what: 'keys' }) },
  ])
  return null
}
