package telemetry

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/dragoman-hub/dragoman/chat"
)

// Metrics are the numbers that the hub counts, in a registry of their own. It is safe for concurrent use.
type Metrics struct {
	registry *prometheus.Registry

	messages *prometheus.CounterVec   // channel, direction, kind, result
	ingest   prometheus.Histogram     // seconds
	send     prometheus.Histogram     // seconds
	lag      *prometheus.GaugeVec     // name
	dead     *prometheus.CounterVec   // work
	jobs     *prometheus.GaugeVec     // work
	requests *prometheus.CounterVec   // method, route, status
	seconds  *prometheus.HistogramVec // route
}

// latencies reach from a quarter of a millisecond (a group commit on a fast disk) to a slow platform's half minute.
var latencies = []float64{.00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}

// NewMetrics makes them, with those of the Go runtime and of the process.
func NewMetrics() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.messages = m.counter("messages_total", "Messages and other events by what became of them.", "channel", "direction", "kind", "result")
	m.ingest = m.histogram("ingest_seconds", "From a webhook call read in full to its events being durable.").WithLabelValues().(prometheus.Histogram)
	m.send = m.histogram("send_seconds", "One request to a platform.").WithLabelValues().(prometheus.Histogram)
	m.lag = m.gauge("follower_lag", "Events of the log that a follower has not seen yet, over all workspaces.", "name")
	m.dead = m.counter("dead_letters_total", "Jobs that were given up.", "work")
	m.jobs = m.gauge("jobs_in_flight", "Jobs under way.", "work")
	m.requests = m.counter("http_requests_total", "Answered requests.", "method", "route", "status")
	m.seconds = m.histogram("http_seconds", "From a request's header to the end of its answer.", "route")
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Message counts one message, or other event, of a channel. The result is "stored", "duplicate", "sent" or a policy.
func (m *Metrics) Message(channel chat.ChannelID, direction chat.Direction, kind chat.Kind, result string) {
	m.messages.WithLabelValues(string(channel), string(direction), string(kind), result).Inc()
}

// Forget drops the numbers of a channel that is gone.
func (m *Metrics) Forget(channel chat.ChannelID) {
	m.messages.DeletePartialMatch(prometheus.Labels{"channel": string(channel)})
}

// Ingest records how long a webhook call took to become durable.
func (m *Metrics) Ingest(d time.Duration) { m.ingest.Observe(d.Seconds()) }

// Send records how long a request to a platform took.
func (m *Metrics) Send(d time.Duration) { m.send.Observe(d.Seconds()) }

// DeadLetter counts a job that was given up.
func (m *Metrics) DeadLetter(work string) { m.dead.WithLabelValues(work).Inc() }

// FollowerLag sets how many events a follower has not seen yet.
func (m *Metrics) FollowerLag(name string, events int64) {
	m.lag.WithLabelValues(name).Set(float64(events))
}

// Job counts a job as under way; the answer ends that.
func (m *Metrics) Job(work string) (done func()) {
	g := m.jobs.WithLabelValues(work)
	g.Inc()
	return g.Dec
}

// Request records an answered HTTP request. The route is a pattern, never a path: paths have no end.
func (m *Metrics) Request(method, route string, status int, d time.Duration) {
	m.requests.WithLabelValues(known(method), route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(route).Observe(d.Seconds())
}

// known keeps the number of methods small, for a caller may send any word.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}

// Handler answers /metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

func (m *Metrics) counter(name, help string, labels ...string) *prometheus.CounterVec {
	c := prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "dragoman", Name: name, Help: help}, labels)
	m.registry.MustRegister(c)
	return c
}

func (m *Metrics) gauge(name, help string, labels ...string) *prometheus.GaugeVec {
	g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "dragoman", Name: name, Help: help}, labels)
	m.registry.MustRegister(g)
	return g
}

func (m *Metrics) histogram(name, help string, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "dragoman", Name: name, Help: help, Buckets: latencies}, labels)
	m.registry.MustRegister(h)
	return h
}
