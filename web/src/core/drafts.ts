import type { Keep } from './keep'

// Draft is a half-written message of one conversation.
export interface Draft {
  text: string
  note: boolean
  reply?: number // the seq of the message that it answers
}

// Drafts survive switching, reload and a crash: each key stroke is kept.
export class Drafts {
  constructor(
    private readonly keep: Keep,
    private readonly user: string,
  ) {}

  private key(id: string): string {
    return `dragoman.draft.${this.user}.${id}`
  }

  get(id: string): Draft {
    try {
      const d = JSON.parse(this.keep.get(this.key(id)) ?? '{}') as Partial<Draft>
      return { text: typeof d.text === 'string' ? d.text : '', note: d.note === true, ...(typeof d.reply === 'number' ? { reply: d.reply } : {}) }
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
