import { useState } from 'preact/hooks'
import { may } from '../core/session'
import { Button } from '../parts/controls'
import { Copy } from '../parts/copy'
import { Dialog } from '../parts/overlays'
import { useLoad, useT, useWorld } from '../parts/world'
import type { SectionProps } from '.'
import { Loaded } from './kit/page'
import { useKnown } from './kit/people'
import { ResourcePage } from './kit/resource'
import type { Values } from './kit/form'

// Actions are what agents have another system do. The secret that signs the calls is shown once, when the action is made.
export default function Actions({ rest }: SectionProps) {
  const t = useT()
  const { session } = useWorld()
  const load = useLoad(useKnown(), [])
  const [secret, show] = useState('')
  return (
    <Loaded load={load}>
      {({ queues }) => (
        <>
          <ResourcePage
            at={rest[0]}
            of={{
              id: 'actions',
              page: '/admin/actions',
              path: '/v1/actions',
              canWrite: may(session, 'desk.write'),
              canDelete: true,
              start: {},
              nameSpec: { name: 'name', label: t('admin_name_field'), hint: t('admin_action_name_hint'), placeholder: 'create_case' },
              titleOf: (v) => String(v.title || v.name),
              aboutOf: (v) => String(v.url),
              specs: () => [
                { name: 'title', label: t('admin_title_field'), hint: t('admin_action_title_hint') },
                { name: 'url', label: t('admin_action_url'), hint: t('admin_action_url_hint'), type: 'url', required: true },
                { name: 'secret', label: t('admin_action_secret'), hint: t('admin_action_secret_hint'), type: 'secret' },
                { name: 'inputs', label: t('admin_action_inputs'), hint: t('admin_action_inputs_hint'), type: 'json' },
                { name: 'messages', label: t('admin_action_messages'), hint: t('admin_action_messages_hint'), type: 'number', min: 0, max: 100 },
                { name: 'timeout_seconds', label: t('admin_action_timeout'), type: 'number', min: 1, max: 20, placeholder: '10' },
                { name: 'queues', label: t('admin_only_queues'), hint: t('admin_only_queues_hint'), type: 'many', choices: queues },
              ],
              formOf: ({ created_at: _c, updated_at: _u, queues: q, inputs, ...v }) => ({ ...v, ...((q as string[] | undefined)?.length ? { queues: q } : {}), ...((inputs as unknown[] | undefined)?.length ? { inputs } : {}) }),
              saved: (answer: Values) => void (typeof answer?.secret === 'string' && answer.secret !== '***' && show(answer.secret)),
            }}
          />
          {secret && (
            <Dialog title={t('admin_action_secret')} onClose={() => show('')}>
              <p>{t('admin_shown_once')}</p>
              <Copy label={t('admin_action_secret')} text={secret} />
              <div class="dialog-foot">
                <Button main onClick={() => show('')}>
                  {t('admin_kept_it')}
                </Button>
              </div>
            </Dialog>
          )}
        </>
      )}
    </Loaded>
  )
}
