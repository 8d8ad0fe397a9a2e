import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Binding } from '../core/keys'
import { useStore } from '../parts/world'
import type { Acts } from './acts'
import type { Desk } from './desk'
import type { DeskState } from './state'
import type { Run } from './types'
import type { View } from './views'

// DeskWorld is what every part of the desk has at hand.
export interface DeskWorld {
  desk: Desk
  acts: Acts
  view: View
  id: string // of the open conversation; '' is none
  show(id: string, seq?: number): void
  setView(v: View): void
  ask(d: Asked): void
  editing: Editing // what is being edited in the contact's panel
  edit(what: Editing): void
}

export type Editing = 'contact' | 'fields' | null

// Asked is a dialog that is open.
export type Asked = { what: 'transfer' | 'snooze'; ids: string[] } | { what: 'tag'; ids: string[] } | { what: 'palette'; commands: Binding[] } | { what: 'keys' } | { what: 'action'; id: string; run?: Run } | { what: 'start'; contact?: string } | null

export const DeskContext = createContext<DeskWorld>(null as unknown as DeskWorld)

export const useDesk = (): DeskWorld => useContext(DeskContext)

export function useDeskState<T>(pick: (s: DeskState) => T): T {
  return useStore(useContext(DeskContext).desk.store, pick)
}
