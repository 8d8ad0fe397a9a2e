// What tests of the desk do and look at. page() is the one that is meant when none is named.
export function onDesk(hub, page) {
  const log = (p = page()) => p.getByRole('log')

  // key runs a command of the page: nobody writes in a field.
  const key = async (keys, p = page()) => {
    await p.evaluate(() => document.activeElement?.blur())
    await p.keyboard.press(keys)
  }

  // hers waits until the page knows that its agent has the open conversation; the hub may have said so elsewhere before.
  const hers = (p = page()) => p.locator('.thread-acts').getByRole('button', { name: 'Close' }).waitFor()

  return {
    log,
    key,
    field: (p = page()) => p.getByLabel('Message to the customer'),
    message: (text, p = page()) => log(p).locator('.message', { hasText: text }),
    conversation: (id) => hub.api('GET', '/v1/conversations/' + id),
    events: async (id) => (await hub.api('GET', `/v1/conversations/${id}/events?limit=1000`)).items,

    // open brings a page to a conversation. Where its agent has that, it waits until the page knows: keys do nothing before.
    async open(c, p = page()) {
      await p.evaluate((id) => {
        history.pushState(null, '', '/desk/c/' + id)
        dispatchEvent(new PopStateEvent('popstate'))
      }, c.id)
      await log(p).waitFor()
      await p.locator('.thread-who h2', { hasText: c.name ?? c.contact.name }).waitFor()
      if (!c.agent || p !== page()) return
      const { state, assignee } = await hub.api('GET', '/v1/conversations/' + c.id)
      if (state === 'assigned' && assignee === c.agent) await hers(p)
    },
    hers,

    // given plants a conversation that an agent has; nobody else was asked.
    async given(agent, name, { site, text = 'hello from ' + name, ...more }) {
      const c = await hub.say(name, text, site)
      await hub.api('POST', `/v1/conversations/${c.id}/assign`, { assignee: agent.id, ...more })
      return { ...c, name, agent: agent.id }
    },
  }
}
