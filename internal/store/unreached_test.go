package store_test

import (
	"net"
	"strings"
	"testing"

	"rollcall/internal/store"
)

// The error names a server that is down: once, with its address, and without the
// password.
func TestPostgresUnreached(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().String()
	l.Close()
	_, err = store.Open(t.Context(), store.Config{URL: "postgres://me:hidden@" + at + "/x"})
	want := "open store: cannot reach PostgreSQL at " + at +
		": connection refused; start it, or name another with --store"
	if err == nil || err.Error() != want || strings.Contains(err.Error(), "hidden") {
		t.Errorf("got %v, want %s", err, want)
	}
}
