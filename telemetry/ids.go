package telemetry

import (
	"context"
	"crypto/rand"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/trace"
)

// actionIDs makes the action id, which is a UUID, the id of the trace: all that one webhook call sets off is one trace, from its
// arrival to the last send, although the log lies between them and another node may have done the rest.
type actionIDs struct{}

// NewIDs is sdk.IDGenerator.
func (actionIDs) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	if id, err := uuid.Parse(string(Action(ctx))); err == nil {
		return trace.TraceID(id), newSpanID()
	}
	var id trace.TraceID
	_, _ = rand.Read(id[:]) // never fails
	return id, newSpanID()
}

// NewSpanID is sdk.IDGenerator.
func (actionIDs) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return newSpanID() }

func newSpanID() (id trace.SpanID) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}
