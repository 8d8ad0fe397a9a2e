// Package bot runs flows: finite state machines that answer a contact's messages.
//
// Parse checks and compiles a definition once; Step then takes a session and one event of the log and gives the
// next session, the effects to carry out and a trace of what was decided and why. Step is pure: no clock, no
// randomness, no I/O. The same flow, session and event give the same outcome, so that a conversation can be
// replayed from its log. Definitions are described in docs/flows.md.
package bot
