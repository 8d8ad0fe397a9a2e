// Package telemetry sets up what the hub tells about itself: log lines, metrics and traces.
//
// It hands out values and keeps no global state; it must not decide what is worth telling.
package telemetry
