import { may } from '../../core/session'
import { useWorld } from '../../parts/world'
import type { Agent, FlowVersion, Queue } from './types'

export interface Choice {
  id: string
  title: string
  hint?: string
}

// Known is what forms of the desk let one choose from. What somebody may not read, or the hub has not got, is empty.
export interface Known {
  agents: Choice[]
  teams: Choice[]
  hours: Choice[]
  queues: Choice[]
  flows: Choice[]
}

// useKnown gives a function that reads it.
export function useKnown(): () => Promise<Known> {
  const { api, session } = useWorld()
  const list = <T,>(path: string): Promise<T[]> => api.get<{ items: T[] }>(path).then((l) => l.items, () => [])
  const titled = (x: { name: string; title?: string }): Choice => ({ id: x.name, title: x.title || x.name })
  return async () => {
    const [agents, teams, hours, queues, flows] = await Promise.all([
      list<Agent>('/v1/agents'),
      list<{ name: string; title?: string }>('/v1/teams'),
      list<{ name: string }>('/v1/hours'),
      list<Queue>('/v1/queues'),
      may(session, 'flows.read') ? list<FlowVersion>('/v1/flows') : [],
    ])
    return {
      agents: agents.map((a) => ({ id: a.id, title: a.name || a.id })),
      teams: teams.map(titled),
      hours: hours.map(titled),
      queues: queues.map(titled),
      flows: flows.map(titled),
    }
  }
}
