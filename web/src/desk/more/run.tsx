import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { List } from '../../core/api'
import { Button, Skeleton } from '../../parts/controls'
import { Dialog } from '../../parts/overlays'
import { Pick } from '../../parts/pick'
import { useLoad, useT, useWorld } from '../../parts/world'
import { useDesk } from '../context'
import type { Run, Typed } from '../types'
import { readTyped, TypedField } from './typed'

interface Action {
  name: string
  title?: string
  inputs: Typed[]
}

// RunAction lists what other systems can do in a conversation, asks for what they need, and has it done: the log shows how that goes.
export function RunAction({ id, run, onClose }: { id: string; run?: Run | undefined; onClose(): void }) {
  const t = useT()
  const { api } = useWorld()
  const { acts, desk } = useDesk()
  const found = useLoad((signal) => api.get<List<Action>>(`/v1/conversations/${id}/actions`, {}, signal), [id])
  const [picked, pick] = useState('')
  const action = found.value?.items.find((a) => a.name === (picked || run?.name))
  const begin = (a: Action, inputs: Run['inputs']) => {
    onClose()
    if (run) desk.store.do({ do: 'run', key: run.key, run: null })
    acts.begin(id, a, inputs)
  }
  const choose = (name: string) => {
    const a = found.value!.items.find((x) => x.name === name)!
    if (a.inputs.length) pick(name)
    else begin(a, {})
  }
  return (
    <Dialog title={action?.title || action?.name || t('desk_action')} onClose={onClose}>
      {found.error ? (
        <p class="notice bad" role="alert">
          {found.error.message}
        </p>
      ) : !found.value ? (
        <Skeleton />
      ) : action ? (
        <Inputs action={action} run={run} onRun={(inputs) => begin(action, inputs)} />
      ) : (
        <Pick label={t('desk_action_which')} empty={t('desk_no_actions')} choices={found.value.items.map((a) => ({ id: a.name, title: a.title || a.name, words: a.name, icon: 'bolt' }))} onPick={(c) => choose(c.id)} />
      )}
    </Dialog>
  )
}

function Inputs({ action, run, onRun }: { action: Action; run: Run | undefined; onRun(inputs: Run['inputs']): void }) {
  const t = useT()
  const form = useRef<HTMLFormElement>(null)
  useLayoutEffect(() => form.current!.querySelector<HTMLElement>('[aria-invalid], .input')?.focus(), [])
  const loose = run?.wrong && !action.inputs.some((x) => run.wrong!.of('inputs.' + x.name))
  return (
    <form
      ref={form}
      class="stack"
      onSubmit={(e) => {
        e.preventDefault()
        onRun(Object.fromEntries(Object.entries(readTyped(form.current!, action.inputs)).filter(([, v]) => v !== null)))
      }}
    >
      {loose && (
        <p class="notice bad" role="alert">
          {run.wrong!.detail}
        </p>
      )}
      {action.inputs.map((x) => (
        <TypedField key={x.name} f={x} value={run?.inputs[x.name]} wrong={run?.wrong?.of('inputs.' + x.name)} />
      ))}
      <div class="dialog-foot">
        <Button main type="submit">
          {t('desk_action_run')}
        </Button>
      </div>
    </form>
  )
}
