import { may } from '../../core/session'
import { Badge } from '../../parts/controls'
import { Icon } from '../../parts/icon'
import { useLoad, useT, useWorld } from '../../parts/world'
import type { SectionProps } from '..'
import { Head, Line, Lines, Loaded, Nothing, When } from '../kit/page'
import type { FlowVersion } from '../kit/types'
import { EditFlow } from './edit'
import { FlowHistory } from './history'
import { FlowPage } from './look'

// draftOf is the name under which a draft is tried out; such flows are not listed.
export const draftOf = (name: string): string => name.slice(0, 92) + '.draft'
export const isDraft = (name: string): boolean => name.endsWith('.draft')

export default function Flows({ rest: [name, what] }: SectionProps) {
  if (name === undefined) return <FlowList />
  if (name === 'new') return <EditFlow key="new" name="" />
  if (what === 'edit') return <EditFlow key={name} name={name} />
  if (what === 'versions') return <FlowHistory key={name} name={name} />
  return <FlowPage key={name} name={name} />
}

function FlowList() {
  const t = useT()
  const { api, session } = useWorld()
  const load = useLoad(async () => (await api.get<{ items: FlowVersion[] }>('/v1/flows')).items.filter((f) => !isDraft(f.name)), [])
  const add = may(session, 'flows.write') && (
    <a class="button main" href="/admin/flows/new">
      {t('admin_flow_new')}
    </a>
  )
  return (
    <>
      <Head title={t('admin_nav_flows')} about={t('admin_flows_about')}>
        {add}
      </Head>
      <Loaded load={load}>
        {(items) => (
          <Lines
            items={items}
            label={t('admin_nav_flows')}
            empty={
              <Nothing title={t('admin_flows_none')} about={t('admin_flows_none_about')}>
                {add}
              </Nothing>
            }
          >
            {(f) => (
              <Line key={f.name} href={'/admin/flows/' + encodeURIComponent(f.name)} icon={<Icon name="bot" />} title={f.name} about={<When at={f.created_at} />}>
                <Badge>{t('admin_flow_version', { n: f.version })}</Badge>
              </Line>
            )}
          </Lines>
        )}
      </Loaded>
    </>
  )
}
