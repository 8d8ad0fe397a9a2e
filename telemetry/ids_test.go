package telemetry

import (
	"testing"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"

	"github.com/dragoman-hub/dragoman/chat"
)

// An action is a trace, whoever continues it; without an action every trace is a new one.
func TestActionIsTheTrace(t *testing.T) {
	id := chat.NewID()
	ctx := WithAction(t.Context(), chat.ActionID(id))
	first, span := actionIDs{}.NewIDs(ctx)
	second, other := actionIDs{}.NewIDs(ctx)
	if first != second || first != trace.TraceID(uuid.MustParse(id)) || span == other {
		t.Errorf("action %s gave the traces %s and %s, spans %s and %s", id, first, second, span, other)
	}
	a, _ := actionIDs{}.NewIDs(t.Context())
	b, _ := actionIDs{}.NewIDs(WithAction(t.Context(), "no uuid"))
	if a == b || !a.IsValid() || !b.IsValid() {
		t.Errorf("without an action: %s and %s", a, b)
	}
}
