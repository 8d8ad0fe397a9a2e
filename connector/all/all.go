// Package all lists the platforms that this program can speak to. A new one is a folder beside this one and a line here.
package all

import (
	"github.com/dragoman-hub/dragoman/connector"
	"github.com/dragoman-hub/dragoman/connector/simulator"
	"github.com/dragoman-hub/dragoman/connector/telegram"
	"github.com/dragoman-hub/dragoman/connector/webchat"
	"github.com/dragoman-hub/dragoman/connector/webhook"
	"github.com/dragoman-hub/dragoman/connector/whatsapp"
)

// Platforms are all platforms, by name.
func Platforms() []connector.Platform {
	return []connector.Platform{
		simulator.Platform(),
		telegram.Platform(),
		webchat.Platform(),
		webhook.Platform(),
		whatsapp.Platform(),
	}
}
