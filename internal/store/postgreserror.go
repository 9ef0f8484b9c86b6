package store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// unavailable is the error of a database that could not be asked.
func unavailable(what string, err error) error {
	return fmt.Errorf("%w: postgres: %s: %w", ErrUnavailable, what, err)
}

// whyEnded is the error of a call whose context ended while a transaction was
// repeated: what made it fail is said, too.
func whyEnded(ended, err error) error {
	if err == nil || errors.Is(ended, context.Canceled) {
		return ended
	}
	return fmt.Errorf("%w, after: %w", ended, err)
}

// code is the SQLSTATE of an error, or "".
func code(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// retryable says of an error that came before COMMIT was sent that the
// transaction was undone and may succeed when it is repeated: serialization
// failure, deadlock, and the server's own ending of it, by an administrator, a
// restart or a timeout (PostgreSQL, appendix A).
func retryable(err error) bool {
	switch c := code(err); c {
	case "40001", "40P01", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04":
		return true
	default:
		return strings.HasPrefix(c, "08")
	}
}

// uncommitted says of an error of COMMIT itself that it surely did not commit.
// The end of a session that was idle came before COMMIT; an administrator's may
// have come after it, while a replica was waited for.
func uncommitted(err error) bool {
	switch code(err) {
	case "40001", "40P01", "25P03", "25P04":
		return true
	}
	// What could not be written to the end was not read to the end.
	var broken *net.OpError
	return errors.As(err, &broken) && broken.Op == "write"
}

// undone says that the transaction is lost, and was before COMMIT was sent.
func (c *postgresConn) undone() bool {
	return c.failed != nil && (retryable(c.failed) || c.pooled.Conn().IsClosed())
}

// explain turns an error of the connection, or of a statement, into the store's.
func (c *postgresConn) explain(err error) error {
	if c.pooled.Conn().IsClosed() {
		return unavailable("connection lost", err)
	}
	return postgresError(err)
}
