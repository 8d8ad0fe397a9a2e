import { createElement, type Component, type FunctionComponent } from 'preact'

// memo renders a part again only when one of its props is another one, or something that it follows itself has changed.
export function memo<P extends object>(part: FunctionComponent<P>): FunctionComponent<P> {
  return function Memo(this: Component<P>, props: P) {
    this.shouldComponentUpdate = (next) => differ(this.props, next)
    return createElement(part, props)
  } as FunctionComponent<P>
}

// differ tells objects apart whose values are not the same ones.
export function differ(a: object, b: object): boolean {
  const was = Object.entries(a)
  return was.length !== Object.keys(b).length || was.some(([k, v]) => !Object.is(v, (b as Record<string, unknown>)[k]))
}
