// Burst makes one deed of many causes. The first cause sets the time: those that follow put nothing off, so that it is done however
// thick they come.
export class Burst {
  private timer: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly deed: () => void,
    private readonly after: number, // milliseconds
  ) {}

  tell(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined
      this.deed()
    }, this.after)
  }

  stop(): void {
    clearTimeout(this.timer)
    this.timer = undefined
  }
}
