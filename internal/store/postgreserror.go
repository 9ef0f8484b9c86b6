package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// unavailable returns the error for a database that could not be reached.
func unavailable(what string, err error) error {
	return fmt.Errorf("%w: postgres: %s: %w", ErrUnavailable, what, err)
}

// whyEnded returns the error of a call whose context ended while a transaction
// was repeated: it includes the reason of the failures.
func whyEnded(ended, err error) error {
	if err == nil || errors.Is(ended, context.Canceled) {
		return ended
	}
	return fmt.Errorf("%w, after: %w", ended, err)
}

// code returns the SQLSTATE of an error, or "".
func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// retryable reports, for an error that came before COMMIT was sent, whether the
// transaction was undone and may succeed when it is repeated: serialization
// failure, deadlock, a server that has no memory left for locks (changes of other
// databases hold them too), and an end by the server, because of an administrator,
// a restart or a timeout (PostgreSQL, appendix A).
func retryable(err error) bool {
	switch c := code(err); c {
	case "40001", "40P01", "53200", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04":
		return true
	default:
		return strings.HasPrefix(c, "08")
	}
}

// uncommitted reports whether an error of COMMIT itself shows that it certainly
// did not commit. The end of a session that was idle came before COMMIT; an end
// by an administrator may have come after it, during the wait for a replica.
func uncommitted(err error) bool {
	switch code(err) {
	case "40001", "40P01", "25P03", "25P04":
		return true
	}
	// A message that was not sent completely was not read completely.
	var broken *net.OpError
	return errors.As(err, &broken) && broken.Op == "write"
}

// undone reports that the transaction was lost before COMMIT was sent.
func (c *postgresConn) undone() bool {
	return c.failed != nil && (retryable(c.failed) || c.pooled.Conn().IsClosed())
}

// explain turns an error of the connection, or of a statement, into the
// store's.
func (c *postgresConn) explain(err error) error {
	if c.pooled.Conn().IsClosed() {
		return unavailable("connection lost", err)
	}
	return postgresError(err)
}
