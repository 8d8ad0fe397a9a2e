import { createElement, type FunctionComponent } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { useWorld } from './world'

// later is a part that is loaded when it is shown for the first time.
export function later<P extends object>(load: () => Promise<FunctionComponent<P>>): FunctionComponent<P> {
  let part: FunctionComponent<P> | undefined
  return function Later(props: P) {
    const { toasts } = useWorld()
    const [, again] = useState(0)
    useEffect(() => {
      let here = true
      if (!part) load().then((p) => ((part = p), here && again(1)), (err: unknown) => here && toasts.bad(err))
      return () => void (here = false)
    }, [])
    return part ? createElement(part, props) : null
  }
}
