//go:build unix

package pgtest

import (
	"context"
	"testing"
)

// Template is a database that others are copies of.
type Template struct {
	server *Server
	name   string
}

// NewTemplate makes a database on this process's own server and lets somebody fill it, who has to close all connections. It stays until the
// process ends.
func NewTemplate(fill func(ctx context.Context, dsn string) error) (*Template, error) {
	s, err := shared()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience) //nolint:forbidigo // no test owns it
	defer cancel()
	t := &Template{server: s, name: newName()}
	if err := s.admin(ctx, "CREATE DATABASE "+t.name); err != nil {
		return nil, err
	}
	if err := fill(ctx, s.url(t.name)); err != nil {
		return nil, err
	}
	return t, s.admin(ctx, "ALTER DATABASE "+t.name+" WITH ALLOW_CONNECTIONS false") // nobody is in it when it is copied
}

// Copy makes a database like it and gives its address. It is dropped after the test's own clean-ups.
func (t *Template) Copy(tb testing.TB) (dsn string) {
	tb.Helper()
	return t.server.database(tb, " TEMPLATE "+t.name)
}
