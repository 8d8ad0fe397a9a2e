import { useEffect, useRef, useState } from 'preact/hooks'
import { newID } from '../core/id'
import { Button } from '../parts/controls'
import { Icon } from '../parts/icon'
import { useT, useWorld } from '../parts/world'
import { useDeskState, useHere } from './context'
import type { Conversation } from './types'

// Attached is a file on its way to the hub.
export interface Attached {
  key: string
  name: string
  size: number
  kind: 'image' | 'video' | 'audio' | 'file'
  preview?: string
  sent: number // 0 to 1
  file?: string // its id, once it is there
  wrong?: string
  stop?: () => void
}

export interface Files {
  list: Attached[]
  over: boolean
  hover(on: boolean): void
  add(files: File[]): void
  drop(key: string): void
  clear(): void
  retry(key: string): void
}

const kindOf = (mime: string): Attached['kind'] => (/^image\/(png|jpeg|gif|webp)/.test(mime) ? 'image' : mime.startsWith('video/') ? 'video' : mime.startsWith('audio/') ? 'audio' : 'file')

// largest is what the hub takes by default, in bytes.
const largest = 50 << 20

// useFiles uploads what is dropped, pasted or chosen while the words are still being written.
export function useFiles(c: Conversation | undefined): Files {
  const t = useT()
  const { i18n, api } = useWorld()
  const channel = useDeskState((s) => s.channels.get(c?.channel ?? ''))
  const [list, set] = useState<Attached[]>([])
  const [over, hover] = useState(false)
  const sources = useRef(new Map<string, File>())
  const change = (key: string, more: Partial<Attached>) => set((l) => l.map((x) => (x.key === key ? { ...x, ...more } : x)))
  useEffect(
    () => () => {
      set((l) => (l.forEach((x) => (x.stop?.(), x.preview && URL.revokeObjectURL(x.preview))), []))
    },
    [c?.id],
  )
  const refusal = (f: File, kind: Attached['kind']): string => {
    const limit = Math.min(largest, channel?.traits.media?.[kind]?.max_bytes || largest)
    if (f.size > limit) return t('desk_too_large', { limit: i18n.number(limit / (1 << 20), { style: 'unit', unit: 'megabyte', maximumFractionDigits: 1 }) })
    if (f.size === 0) return t('desk_empty_file')
    return ''
  }
  const upload = (key: string, f: File) => {
    const x = new XMLHttpRequest() // fetch tells nothing of how far an upload is
    x.open('POST', '/v1/files?name=' + encodeURIComponent(f.name))
    x.setRequestHeader('X-CSRF-Token', api.csrf)
    x.setRequestHeader('Idempotency-Key', newID())
    x.setRequestHeader('Content-Type', f.type || 'application/octet-stream')
    x.upload.onprogress = (e) => change(key, { sent: e.total ? e.loaded / e.total : 0 })
    x.onload = () => {
      const body = JSON.parse(x.responseText || '{}') as { id?: string; detail?: string }
      if (x.status < 300 && body.id) change(key, { file: body.id, sent: 1 })
      else change(key, { wrong: body.detail || t('desk_upload_failed') })
    }
    x.onerror = () => change(key, { wrong: t('desk_upload_failed') })
    x.send(f)
    change(key, { stop: () => x.abort() })
  }
  const add = (files: File[]) => {
    for (const f of files.slice(0, 10)) {
      const key = newID()
      const kind = kindOf(f.type)
      const wrong = refusal(f, kind)
      sources.current.set(key, f)
      set((l) => [...l, { key, name: f.name, size: f.size, kind, sent: 0, ...(kind === 'image' ? { preview: URL.createObjectURL(f) } : {}), ...(wrong ? { wrong } : {}) }])
      if (!wrong) upload(key, f)
    }
  }
  const drop = (key: string) =>
    set((l) => {
      const gone = l.find((x) => x.key === key)
      gone?.stop?.()
      if (gone?.preview) URL.revokeObjectURL(gone.preview)
      return l.filter((x) => x.key !== key)
    })
  const retry = (key: string) => {
    const f = sources.current.get(key)
    if (!f) return
    set((l) => l.map((x) => (x.key === key ? withoutWrong(x) : x)))
    upload(key, f)
  }
  return { list, over, hover, add, drop, retry, clear: () => set((l) => (l.forEach((x) => x.preview && URL.revokeObjectURL(x.preview)), [])) }
}

function withoutWrong({ wrong: _, ...x }: Attached): Attached {
  return { ...x, sent: 0 }
}

// FileList shows what will go with the message: picture or name, how far it is, and how to leave it out.
export function FileList({ files }: { files: Files }) {
  const t = useT()
  if (!files.list.length) return null
  return (
    <ul class="attached" aria-label={t('desk_attached')}>
      {files.list.map((f) => (
        <li key={f.key} class={f.wrong ? 'bad' : ''}>
          {f.preview ? <img src={f.preview} alt="" /> : <Icon name="file" />}
          <span class="grow cut">{f.name}</span>
          {f.wrong ? (
            <span role="alert" class="small">
              {f.wrong}
            </span>
          ) : f.file ? (
            <span class="small soft">{t('desk_uploaded')}</span>
          ) : (
            <progress value={f.sent} max={1} aria-label={t('desk_uploading', { name: f.name })} />
          )}
          {f.wrong && (
            <Button tight onClick={() => files.retry(f.key)}>
              {t('retry')}
            </Button>
          )}
          <Button plain tight icon="close" title={t('desk_leave_out', { name: f.name })} onClick={() => files.drop(f.key)} />
        </li>
      ))}
    </ul>
  )
}

// AttachButton opens the system's file picker.
export function AttachButton({ files, disabled }: { files: Files; disabled: boolean }) {
  const t = useT()
  const input = useRef<HTMLInputElement>(null)
  const { id } = useHere()
  return (
    <>
      <input
        key={id}
        ref={input}
        type="file"
        multiple
        hidden
        onChange={(e) => {
          files.add([...(e.currentTarget.files ?? [])])
          e.currentTarget.value = ''
        }}
      />
      <Button plain icon="clip" title={t('desk_attach')} hotkey="F" class="attach" disabled={disabled} onClick={() => input.current!.click()} />
    </>
  )
}
