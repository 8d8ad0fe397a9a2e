import type { API } from './api'
import { Problem } from './problem'

// Session is who has signed in.
export interface Session {
  user: { id: string; email: string; name: string; role: string; languages?: string[] }
  session: string
  expires_at: string
  csrf_token: string
  all?: boolean
  rights: string[]
  reach: 'own' | 'queues' | 'all'
  queues?: string[]
}

// may tells whether somebody has a right. The server decides; pages only leave out what it would refuse.
export function may(s: Session | null, right: string): boolean {
  return s !== null && (s.all === true || s.rights.includes(right))
}

// readSession asks who has signed in; null: nobody.
export async function readSession(api: API): Promise<Session | null> {
  try {
    const s = await api.get<Session>('/v1/session')
    api.csrf = s.csrf_token
    return s
  } catch (err) {
    if (err instanceof Problem && (err.status === 401 || err.status === 403)) return null
    throw err
  }
}

// Link is what stands behind the # of a link that sets a password.
export function readLink(hash: string): string {
  return /^drl_[\w-]{10,100}$/.test(hash) ? hash : ''
}
