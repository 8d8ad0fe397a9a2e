import type { FunctionComponent } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Button, Empty } from './controls'
import { useT, useWorld } from './world'

// later is a part that is loaded when it is shown for the first time. One that cannot be had, as after an upgrade of the hub, says so.
export function later<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  let Part: FunctionComponent<P> | undefined
  return function Later(props: P) {
    const { toasts } = useWorld()
    const [failed, fail] = useState(false)
    const [, again] = useState(0)
    useEffect(() => {
      let here = true
      if (!Part) load().then((p) => ((Part = p), here && again(1)), (err: unknown) => here && (toasts.bad(err), fail(true)))
      return () => void (here = false)
    }, [])
    if (failed) return <Failed />
    return Part ? <Part {...props} /> : null
  }
}

// Failed stands where something could not be loaded.
export function Failed() {
  const t = useT()
  return (
    <Empty title={t('page_failed')}>
      <Button onClick={() => location.reload()}>{t('reload')}</Button>
    </Empty>
  )
}
