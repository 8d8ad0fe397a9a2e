// Package access decides who may do what: users with their roles, how they prove who they are, their sessions, and the one function
// that all permissions come down to.
//
// It must not know HTTP routes or pages, and no error or log line of it shows a password, a code or a token.
package access
