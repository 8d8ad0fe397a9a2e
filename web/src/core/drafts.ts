import type { Keep } from './keep'

// Draft is a half-written message of one conversation.
export interface Draft {
  text: string
  note: boolean
  reply?: number // the seq of the message that it answers
  mentions?: { id: string; name: string }[] // who was picked behind an @
}

// draftsOf is where a user's drafts are kept; the conversation's id follows.
export const draftsOf = (user: string) => `dragoman.draft.${user}.`

// Drafts survive switching, reload and a crash: each key stroke is kept.
export class Drafts {
  constructor(
    private readonly keep: Keep,
    private readonly user: string,
  ) {}

  private key(id: string): string {
    return draftsOf(this.user) + id
  }

  get(id: string): Draft {
    try {
      const d = JSON.parse(this.keep.get(this.key(id)) ?? '{}') as Partial<Draft>
      return {
        text: typeof d.text === 'string' ? d.text : '',
        note: d.note === true,
        ...(typeof d.reply === 'number' ? { reply: d.reply } : {}),
        ...(Array.isArray(d.mentions) ? { mentions: d.mentions.filter((m) => typeof m?.id === 'string' && typeof m.name === 'string') } : {}),
      }
    } catch {
      return { text: '', note: false }
    }
  }

  set(id: string, d: Draft): void {
    this.keep.set(this.key(id), d.text || d.note || d.reply ? JSON.stringify(d) : null)
  }

  // which conversations have words that were not sent
  ids(): Set<string> {
    const prefix = this.key('')
    return new Set(this.keep.keys().filter((k) => k.startsWith(prefix)).map((k) => k.slice(prefix.length)).filter((id) => this.get(id).text.trim() !== ''))
  }
}
