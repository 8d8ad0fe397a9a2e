import { useState } from 'preact/hooks'
import { may } from '../../core/session'
import { Badge, Button, Field } from '../../parts/controls'
import { LineDiff } from '../../parts/diff'
import { useLoad, useT, useWorld } from '../../parts/world'
import { Head, Line, Lines, Loaded, Trouble, When } from '../kit/page'
import type { FlowVersion } from '../kit/types'

// FlowHistory lists the versions of a flow and shows what changed between two of them.
export function FlowHistory({ name }: { name: string }) {
  const t = useT()
  const { api } = useWorld()
  const path = '/v1/flows/' + encodeURIComponent(name)
  const load = useLoad(async () => (await api.get<{ items: FlowVersion[] }>(path + '/versions')).items, [path])
  return (
    <>
      <Head title={t('admin_flow_versions_of', { name })} back={{ href: '/admin/flows/' + encodeURIComponent(name), title: name }} about={t('admin_flow_versions_about')} />
      <Loaded load={load}>{(versions) => <Versions path={path} name={name} versions={versions} again={load.again} />}</Loaded>
    </>
  )
}

function Versions({ path, name, versions, again }: { path: string; name: string; versions: FlowVersion[]; again(): void }) {
  const t = useT()
  const { api, session, toasts, i18n } = useWorld()
  const newest = versions[0]!.version
  const [after, setAfter] = useState(newest)
  const [before, setBefore] = useState(versions[1]?.version ?? newest)
  const texts = useLoad(async () => {
    const read = async (n: number) => JSON.stringify((await api.get<{ definition: unknown }>(path, { version: n })).definition, null, 2)
    return Promise.all([read(before), read(after)])
  }, [before, after])
  const again_ = async (n: number) => {
    try {
      const { definition } = await api.get<{ definition: unknown }>(path, { version: n })
      const made = await api.put<{ version: number }>(path, definition)
      toasts.show(t('admin_flow_is_live', { n: made.version }))
      setBefore(newest)
      setAfter(made.version)
      again()
    } catch (err) {
      toasts.bad(err)
    }
  }
  const choose = (label: string, at: number, set: (n: number) => void) => (
    <Field label={label}>
      {(a) => (
        <select {...a} class="input" value={String(at)} onChange={(e) => set(Number(e.currentTarget.value))}>
          {versions.map((v) => (
            <option key={v.version} value={String(v.version)}>
              {t('admin_flow_version', { n: v.version })} · {i18n.date(new Date(v.created_at))}
            </option>
          ))}
        </select>
      )}
    </Field>
  )
  return (
    <>
      <section class="card stack">
        <h2>{t('admin_flow_difference')}</h2>
        <div class="filters">
          {choose(t('diff_before'), before, setBefore)}
          {choose(t('diff_after'), after, setAfter)}
        </div>
        {texts.error && <Trouble error={texts.error} again={texts.again} />}
        {texts.value && <LineDiff before={texts.value[0]} after={texts.value[1]} label={t('admin_flow_difference')} />}
      </section>
      <Lines items={versions} label={t('admin_flow_versions')} empty={null}>
        {(v) => (
          <Line key={v.version} title={t('admin_flow_version', { n: v.version })} about={<When at={v.created_at} />}>
            {v.version === newest ? (
              <Badge kind="good">{t('admin_flow_newest')}</Badge>
            ) : (
              <>
                <Button tight onClick={() => (setBefore(v.version), setAfter(newest))}>
                  {t('admin_flow_compare')}
                </Button>
                {may(session, 'flows.write') && (
                  <Button tight icon="undo" onClick={() => void again_(v.version)}>
                    {t('admin_flow_go_back_to', { name, n: v.version })}
                  </Button>
                )}
              </>
            )}
          </Line>
        )}
      </Lines>
    </>
  )
}
