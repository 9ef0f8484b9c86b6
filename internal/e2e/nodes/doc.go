// Package nodes holds tests of several processes on one store; see package e2e.
package nodes
