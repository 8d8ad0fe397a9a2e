import { Avatar, Button } from '../parts/controls'
import { useNow, useT, useWorld } from '../parts/world'
import { useDesk, useDeskState } from './context'
import type { Conversation, Offer } from './types'

// useMyOffers are the conversations that I may accept, the oldest offer first.
export function useMyOffers(): [string, Offer][] {
  const offers = useDeskState((s) => s.offers)
  const { desk } = useDesk()
  return [...offers].filter(([, o]) => o.agents.includes(desk.me)).sort((a, b) => (a[1].at < b[1].at ? -1 : 1))
}

// extensible tells whether there can be more time for an offer.
export const extensible = (o?: Offer): boolean => o?.until !== undefined && o.longest !== undefined && Date.parse(o.until) < Date.parse(o.longest)

// Offers stand above the list: who, where, since when, the last words, and how long there is to answer.
export function Offers() {
  const t = useT()
  const mine = useMyOffers()
  const conversations = useDeskState((s) => s.conversations)
  const now = useNow(1000)
  const shown = mine.flatMap(([id, o]) => {
    const c = conversations.get(id)
    return c && c.state === 'queued' ? [{ c, o }] : []
  })
  if (!shown.length) return null
  return (
    <section class="offers" aria-label={t('desk_offers')}>
      {shown.slice(0, 3).map(({ c, o }, i) => (
        <OfferCard key={c.id} c={c} o={o} now={now} first={i === 0} />
      ))}
      {shown.length > 3 && <p class="soft small">{t('desk_more_offers', { n: shown.length - 3 })}</p>}
    </section>
  )
}

function OfferCard({ c, o, now, first }: { c: Conversation; o: Offer; now: Date; first: boolean }) {
  const t = useT()
  const { i18n } = useWorld()
  const { acts, show } = useDesk()
  const channel = useDeskState((s) => s.channels.get(c.channel))
  const name = c.contact.name || c.thread.address
  const left = o.until ? Date.parse(o.until) - now.getTime() : Infinity
  const accept = () => void acts.accept(c.id).then((done) => done && show(c.id))
  return (
    <article class="offer" aria-label={t('desk_offer_of', { name })}>
      <div class="row">
        <Avatar name={name} small />
        <div class="grow">
          <h2 class="cut">{name}</h2>
          <p class="soft small cut">
            {[channel?.name, c.queue, t('desk_waits', { span: i18n.span(now.getTime() - Date.parse(c.waiting_since ?? c.updated_at)) })].filter(Boolean).join(' · ')}
          </p>
        </div>
        {o.until && (
          <span class={'offer-clock number' + (left < 15_000 ? ' late' : '')} role="timer" aria-label={t('desk_offer_left', { span: i18n.span(left) })}>
            {i18n.span(left)}
          </span>
        )}
      </div>
      <p class="offer-words" dir="auto">{c.preview}</p>
      <div class="row wrap">
        <Button main tight onClick={accept} {...(first ? { title: t('desk_accept'), hotkey: 'A' } : {})}>
          {t('desk_accept')}
        </Button>
        <Button tight onClick={() => void acts.decline(c.id)} {...(first ? { title: t('desk_decline'), hotkey: 'D' } : {})}>
          {t('desk_decline')}
        </Button>
        {extensible(o) && (
          <Button tight onClick={() => void acts.extend(c.id)} {...(first ? { title: t('desk_extend'), hotkey: 'M' } : {})}>
            {t('desk_extend')}
          </Button>
        )}
        <Button tight plain onClick={() => show(c.id)}>
          {t('desk_look')}
        </Button>
      </div>
    </article>
  )
}
