package store

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// unreachedError says in few words that PostgreSQL could not be reached. pgx
// says it once for each address and attempt.
type unreachedError struct {
	text string
	err  error
}

func (e *unreachedError) Error() string { return e.text }
func (e *unreachedError) Unwrap() error { return e.err }

// unreached shortens the error of a server that does not answer. An answer of a
// server, such as a wrong password, is returned unchanged.
func unreached(err error) error {
	var failed *pgconn.ConnectError
	var answer *pgconn.PgError
	var dial *net.OpError
	if !errors.As(err, &failed) || errors.As(err, &answer) || !errors.As(err, &dial) || failed.Config == nil {
		return err
	}
	why := dial.Err
	var number syscall.Errno
	if errors.As(err, &number) {
		why = number
	}
	at := net.JoinHostPort(cmp.Or(failed.Config.Host, "localhost"), strconv.Itoa(int(failed.Config.Port)))
	return &unreachedError{
		fmt.Sprintf("cannot reach PostgreSQL at %s: %v; start it, or name another with --store", at, why), err}
}
