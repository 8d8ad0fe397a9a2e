// Passing are the conversations that no list has asked for: the stream told of them. When there are too many, those that nobody needs go, the
// oldest first, so that a page that stands open for days does not grow.
export class Passing {
  private ids = new Set<string>() // in the order in which they came
  private room: number

  constructor(private readonly most = 2000) {
    this.room = 2 * most
  }

  came(id: string): void {
    this.ids.add(id)
  }

  asked(list: { id: string }[]): void {
    for (const c of list) this.ids.delete(c.id)
  }

  // leaving takes out those that may go: none as long as there is room, then all but the newest.
  leaving(needed: (id: string) => boolean): string[] {
    if (this.ids.size < this.room) return []
    const spare = [...this.ids].filter((id) => !needed(id))
    const gone = spare.slice(0, Math.max(0, spare.length - this.most))
    for (const id of gone) this.ids.delete(id)
    this.room = this.ids.size + this.most // whoever stays is not looked at with every one that comes
    return gone
  }
}
