package sqlitetest_test

import (
	"testing"

	"github.com/dragoman-hub/dragoman/store"
	"github.com/dragoman-hub/dragoman/store/sqlitetest"
)

// TestFile: each test has a database of its own, and nothing is in it.
func TestFile(t *testing.T) {
	for range 2 {
		s, err := store.Open(t.Context(), store.Options{DSN: sqlitetest.File(t)})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		all, err := s.Workspaces(t.Context())
		if err != nil || len(all) > 0 {
			t.Errorf("%d workspaces, %v", len(all), err)
		}
		if _, err := s.AddWorkspace(t.Context(), "", "w"); err != nil {
			t.Fatal(err)
		}
	}
}
