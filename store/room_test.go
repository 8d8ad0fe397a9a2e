//go:build unix

package store

import (
	"database/sql"
	"encoding/json"
	"strings"
	"testing"

	"github.com/dragoman-hub/dragoman/chat"
)

// TestRoom: a workspace has so many teams and calendars and no more; those that are there can be changed.
func TestRoom(t *testing.T) {
	eachKind(t, func(t *testing.T, k kind, db *sql.DB) {
		s, err := Open(t.Context(), Options{DSN: k.dsn})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		ws, err := s.AddWorkspace(t.Context(), "", "w")
		if err != nil {
			t.Fatal(err)
		}
		const many = "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < %) INSERT INTO "
		for _, fill := range []string{
			strings.Replace(many, "%", "1000", 1) + "teams (workspace, name, updated_at) SELECT 1, 't' || i, 0 FROM n",
			strings.Replace(many, "%", "200", 1) + "hours (workspace, name, body, updated_at) SELECT 1, 'h' || i, '{}', 0 FROM n",
		} {
			if _, err := db.ExecContext(t.Context(), fill); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range []string{"last", "more", "last"} {
			for what, cmd := range map[string]Command{
				"team":  &PutTeam{Workspace: ws.ID, Team: Team{Name: name}},
				"hours": &PutHours{Workspace: ws.ID, Hours: Hours{Name: name, Body: json.RawMessage(`{}`)}},
			} {
				_, err := s.Append(t.Context(), cmd)
				if want := map[string]chat.Code{"more": chat.CodeTooLarge}[name]; chat.CodeOf(err) != want {
					t.Errorf("%s %s: %v", what, name, err)
				}
			}
		}
	})
}
