import type { ComponentChildren } from 'preact'
import { Skeleton } from '../../parts/controls'
import { useLoad, useT, useWorld } from '../../parts/world'
import { Editor } from './editor'
import type { Spec, Values } from './form'
import { Head, Line, Lines, Loaded, Nothing } from './page'

// Resource is a kind of thing that is stored under a name with PUT: how it is listed and edited.
export interface Resource {
  id: string // of its texts: admin_<id>_title, _about, _none, _none_about, _new, _delete, _delete_about
  page: string // /admin/...
  path: string // /v1/...
  all?(): Promise<Values[]> // instead of a list at path
  name?: string // the member that names it; name by default
  titleOf?(v: Values): string
  aboutOf(v: Values): ComponentChildren
  badgesOf?(v: Values): ComponentChildren
  specs(v: Values, isNew: boolean): Spec[]
  start: Values
  bodyOf?(v: Values): Values // what is sent; by default all that is edited, but for the name
  formOf?(v: Values): Values // what is edited of what was read
  canDelete?: boolean
  deletable?(v: Values): boolean
  canWrite: boolean
  beside?(v: Values): ComponentChildren
  nameSpec: Spec
  fixed?: boolean // things of this kind are made elsewhere
  extra?(v: Values): ComponentChildren // below the editor
  saved?(answer: Values): void // what the server said to it
}

// ResourcePage is the list, or the editor of one: /admin/things, /admin/things/new, /admin/things/NAME.
export function ResourcePage({ of: r, at }: { of: Resource; at: string | undefined }) {
  const { api } = useWorld()
  const load = useLoad(() => (r.all ? r.all() : api.get<{ items: Values[] }>(r.path).then((l) => l.items)), [r.path])
  const nameOf = (v: Values) => String(v[r.name ?? 'name'])
  return at === undefined ? (
    <List of={r} load={load} nameOf={nameOf} />
  ) : (
    <Loaded load={load}>{(items) => <One key={at} of={r} at={at} stored={items.find((v) => nameOf(v) === at) ?? null} busy={load.busy} again={load.again} />}</Loaded>
  )
}

function List({ of: r, load, nameOf }: { of: Resource; load: { value?: Values[]; error?: Error; busy: boolean; again(): void }; nameOf(v: Values): string }) {
  const t = useT()
  const add = r.canWrite && !r.fixed && (
    <a class="button main" href={r.page + '/new'}>
      {t(`admin_${r.id}_new`)}
    </a>
  )
  return (
    <>
      <Head title={t(`admin_${r.id}_title`)} about={t(`admin_${r.id}_about`)}>
        {add}
      </Head>
      <Loaded load={load}>
        {(items) => (
          <Lines
            items={items}
            label={t(`admin_${r.id}_title`)}
            empty={
              <Nothing title={t(`admin_${r.id}_none`)} about={t(`admin_${r.id}_none_about`)}>
                {add}
              </Nothing>
            }
          >
            {(v) => (
              <Line key={nameOf(v)} href={`${r.page}/${encodeURIComponent(nameOf(v))}`} title={r.titleOf?.(v) || nameOf(v)} about={r.aboutOf(v)}>
                {r.badgesOf?.(v)}
              </Line>
            )}
          </Lines>
        )}
      </Loaded>
    </>
  )
}

function One({ of: r, at, stored, busy, again }: { of: Resource; at: string; stored: Values | null; busy: boolean; again(): void }) {
  const t = useT()
  const { api, router } = useWorld()
  const isNew = at === 'new' && !stored
  const key = r.name ?? 'name'
  const back = { href: r.page, title: t(`admin_${r.id}_title`) }
  if (!isNew && !stored)
    return (
      <>
        <Head title={at} back={back} />
        <div class="card">{busy ? <Skeleton /> : <Nothing title={t('nothing_found')} />}</div>
      </>
    )
  const form = stored ? (r.formOf?.(stored) ?? strip(stored)) : null
  const save = async (v: Values) => {
    const { [key]: name, ...rest } = v
    const answer = await api.put<Values>(`${r.path}/${encodeURIComponent(String(name))}`, r.bodyOf ? r.bodyOf(v) : rest)
    r.saved?.(answer)
  }
  const where = `${r.path}/${encodeURIComponent(at)}`
  return (
    <>
      <Head title={isNew ? t(`admin_${r.id}_new`) : (stored && r.titleOf?.(stored)) || at} back={back} badge={stored && r.badgesOf?.(stored)} />
      <Editor
        key={JSON.stringify(form)}
        stored={form}
        start={r.start}
        readOnly={!r.canWrite || (stored !== null && stored.built_in === true)}
        specs={(v) => [...(isNew ? [{ ...r.nameSpec, name: key, required: true }] : []), ...r.specs(v, isNew)]}
        save={save}
        done={(v) => (isNew ? router.go(`${r.page}/${encodeURIComponent(String(v[key]))}`, true) : undefined, again())}
        remove={
          r.canDelete && stored && (r.deletable?.(stored) ?? true)
            ? { title: t(`admin_${r.id}_delete`), about: t(`admin_${r.id}_delete_about`, { name: at }), run: () => api.delete(where), done: () => (again(), router.go(r.page)) }
            : undefined
        }
        {...(r.beside ? { children: r.beside } : {})}
      />
      {stored && r.extra?.(stored)}
    </>
  )
}

// strip leaves out what the server keeps by itself.
function strip(v: Values): Values {
  const { created_at: _c, updated_at: _u, ...rest } = v
  return rest
}

