import { createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { Binding } from '../core/keys'
import { useStore } from '../parts/world'
import type { Acts } from './acts'
import type { Desk } from './desk'
import type { DeskState } from './state'
import type { Run } from './types'
import type { View } from './views'
import type { Walk } from './walk'

// DeskWorld is what every part of the desk has at hand. It never changes: what does is Here.
export interface DeskWorld {
  desk: Desk
  acts: Acts
  walk: Walk
  show(id: string, seq?: number): void
  setView(v: View): void
  ask(d: Asked): void
  edit(what: Editing): void
}

// Here is what the address says. Whoever follows it is rendered again with every conversation that is opened.
export interface Here {
  view: View
  query: string // the view, as addresses have it
  id: string // of the open conversation; '' is none
  editing: Editing // what is being edited in the contact's panel
}

export type Editing = 'contact' | 'fields' | null

// Asked is a dialog that is open.
export type Asked = { what: 'transfer' | 'snooze'; ids: string[] } | { what: 'tag'; ids: string[] } | { what: 'palette'; commands: Binding[] } | { what: 'keys' } | { what: 'action'; id: string; run?: Run } | { what: 'start'; contact?: string } | null

export const DeskContext = createContext<DeskWorld>(null as unknown as DeskWorld)

export const HereContext = createContext<Here>(null as unknown as Here)

export const useHere = (): Here => useContext(HereContext)

export const useDesk = (): DeskWorld => useContext(DeskContext)

export function useDeskState<T>(pick: (s: DeskState) => T): T {
  return useStore(useContext(DeskContext).desk.store, pick)
}
