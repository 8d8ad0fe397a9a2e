import { useRef, useState } from 'preact/hooks'
import { Button } from './controls'
import './extra.css'
import { useT } from './world'

// Copy shows a text that is meant to be taken along: a link, a token, an address. Without a clipboard (an insecure origin) it is selected.
export function Copy({ label, text }: { label: string; text: string }) {
  const t = useT()
  const field = useRef<HTMLInputElement>(null)
  const [done, set] = useState(false)
  const take = async () => {
    field.current!.select()
    try {
      await navigator.clipboard.writeText(text)
      set(true)
    } catch {
      set(document.execCommand('copy'))
    }
  }
  return (
    <div class="copy">
      <input ref={field} class="input" readOnly value={text} aria-label={label} dir="ltr" onFocus={(e) => e.currentTarget.select()} />
      <Button icon={done ? 'check' : 'file'} onClick={() => void take()}>
        {done ? t('copied') : t('copy')}
      </Button>
    </div>
  )
}
