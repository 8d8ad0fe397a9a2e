package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

func (a *API) registerHealth() {
	const tag = "operation"
	a.openGet("/healthz", "isAlive", tag, "Is the process alive?", "application/json", func(w http.ResponseWriter, _ *http.Request) error {
		return writeJSON(w, http.StatusOK, map[string]string{"status": "ok"})
	})
	a.openGet("/readyz", "isReady", tag, "Can it work?", "application/json", a.ready)
	a.openGet("/openapi.json", "describe", tag, "This document", "application/openapi+json", a.showOpenAPI)
	if a.Metrics != nil {
		a.openGet("/metrics", "measure", tag, "Prometheus metrics", "text/plain", func(w http.ResponseWriter, r *http.Request) error {
			a.Metrics.ServeHTTP(w, r)
			return nil
		})
	}
}

// ready asks the database; without it nothing can be taken.
func (a *API) ready(w http.ResponseWriter, r *http.Request) error {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if err := a.Store.Ping(ctx); err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, err = w.Write(append(raw, '\n'))
	return ignoreGone(err)
}
