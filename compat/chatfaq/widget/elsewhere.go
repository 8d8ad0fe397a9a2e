package widget

import (
	"context"
	"regexp"

	"github.com/dragoman-hub/dragoman/chat"
)

// byLot is how the widget names a conversation where the page does not: a number by lot, below 10⁹.
var byLot = regexp.MustCompile(`^\d{7,9}$`)

// elsewhere goes on with a conversation that began in another flow. The widget lists what its user wrote in all flows, and opens each of
// these with the flow of its own page. A name by lot is nobody else's; names that pages choose are each flow's own.
func (k *socket) elsewhere(ctx context.Context, origin string) error {
	if !byLot.MatchString(k.thread.Topic) {
		return nil
	}
	_, err := k.s.Store.ThreadConversation(ctx, k.site.channel, k.thread)
	if chat.CodeOf(err) != chat.CodeNotFound {
		return err
	}
	all, err := k.s.sites.all(ctx)
	if err != nil {
		return err
	}
	for _, x := range all {
		if !x.active || x.channel == k.site.channel || !x.allows(origin) {
			continue
		}
		there, err := k.s.threads(ctx, x, k.thread.Address, k.thread.Topic)
		if err != nil {
			return err
		}
		if len(there) > 0 {
			k.site = x
			return k.authorized(ctx)
		}
	}
	return nil
}
