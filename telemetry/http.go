package telemetry

import (
	"net/http"
	"time"
)

// Counted is next with its requests counted. The route names a request's pattern, from a small set; it is asked
// after the answer.
func (m *Metrics) Counted(next http.Handler, now func() time.Time, route func(*http.Request) string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := now()
		s := &statusOf{ResponseWriter: w, status: http.StatusOK}
		defer func() { m.Request(r.Method, route(r), s.status, now().Sub(begun)) }()
		next.ServeHTTP(s, r)
	})
}

// statusOf remembers the status of an answer.
type statusOf struct {
	http.ResponseWriter
	status int
	wrote  bool
}

// WriteHeader is http.ResponseWriter; of several only the first final one counts.
func (s *statusOf) WriteHeader(status int) {
	if !s.wrote && status >= 200 {
		s.status, s.wrote = status, true
	}
	s.ResponseWriter.WriteHeader(status)
}

// Write is http.ResponseWriter.
func (s *statusOf) Write(p []byte) (int, error) {
	s.wrote = true
	return s.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController: streams flush through it.
func (s *statusOf) Unwrap() http.ResponseWriter { return s.ResponseWriter }
