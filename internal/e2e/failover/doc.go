// Package failover runs the real binary on three PostgreSQL servers under
// Patroni, each in a network namespace of its own, and takes the primary away in
// several ways. 'make failover' installs what the tests need and runs them;
// 'make test' does not.
package failover
