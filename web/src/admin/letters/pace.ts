// Run is how far a replay has come.
export interface Run {
  of: number
  done: number
  failed: number
  going: boolean
}

// replayAll does one after the other, at most so many in a second: a platform that has just come back is not run over. Whoever stops it
// stops before the next one.
export async function replayAll(ids: string[], one: (id: string) => Promise<boolean>, perSecond: number, tell: (r: Run) => void, stop: AbortSignal, wait: (ms: number) => Promise<void>): Promise<void> {
  const run: Run = { of: ids.length, done: 0, failed: 0, going: true }
  tell({ ...run })
  for (const id of ids) {
    if (stop.aborted) break
    if (run.done > 0) await wait(1000 / perSecond)
    if (stop.aborted) break
    if (!(await one(id))) run.failed++
    run.done++
    tell({ ...run })
  }
  tell({ ...run, going: false })
}

export const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms))
