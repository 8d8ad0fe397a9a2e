// What tests of the desk do and look at. page() is the one that is meant when none is named.
export function onDesk(hub, page) {
  const log = (p = page()) => p.getByRole('log')

  // key runs a command of the page: nobody writes in a field.
  const key = async (keys, p = page()) => {
    await p.evaluate(() => document.activeElement?.blur())
    await p.keyboard.press(keys)
  }

  return {
    log,
    key,
    field: (p = page()) => p.getByLabel('Message to the customer'),
    message: (text, p = page()) => log(p).locator('.message', { hasText: text }),
    conversation: (id) => hub.api('GET', '/v1/conversations/' + id),
    events: async (id) => (await hub.api('GET', `/v1/conversations/${id}/events?limit=1000`)).items,

    // open brings a page to a conversation.
    async open(c, p = page()) {
      await p.evaluate((id) => {
        history.pushState(null, '', '/desk/c/' + id)
        dispatchEvent(new PopStateEvent('popstate'))
      }, c.id)
      await log(p).waitFor()
      await p.locator('.thread-who h2', { hasText: c.name ?? c.contact.name }).waitFor()
    },

    // given plants a conversation that an agent has; nobody else was asked.
    async given(agent, name, { site, text = 'hello from ' + name, ...more }) {
      const c = await hub.say(name, text, site)
      await hub.api('POST', `/v1/conversations/${c.id}/assign`, { assignee: agent.id, ...more })
      return { ...c, name }
    },
  }
}
