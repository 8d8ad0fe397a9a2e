package webchat

import (
	"testing"

	"github.com/dragoman-hub/dragoman/connector/connectortest"
)

func TestWebchat(t *testing.T) { connectortest.Run(t, Platform(), "testdata") }
