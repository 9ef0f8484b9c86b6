package storetest

import (
	"os"
	"testing"
)

// TestEmptied gives a database back three times: unused, used, and used by a test
// that has ended all its connections.
func TestEmptied(t *testing.T) {
	ctx := t.Context()
	Postgres(t) // makes the template
	var p pool
	d, err := p.take(ctx, os.Getenv(Variable))
	if err != nil {
		t.Fatal(err)
	}
	give := func() {
		t.Helper()
		if err := p.giveBack(ctx, d); err != nil {
			t.Fatal(err)
		}
		again, err := p.take(ctx, d.server)
		if err != nil || again != d {
			t.Fatalf("the pool gives another database: %v", err)
		}
		var rows int
		if err := d.own.QueryRow(ctx, "SELECT count(*) FROM accounts").Scan(&rows); err != nil || rows != 0 {
			t.Errorf("a database that was given back has %d accounts: %v", rows, err)
		}
	}
	insert := func() {
		t.Helper()
		if err := administer(ctx, d.url(), "INSERT INTO accounts VALUES ('123456789012', 'aws', 0, 0)"); err != nil {
			t.Fatal(err)
		}
	}
	give()
	insert()
	give()
	insert()
	end := "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '" + d.name + "'"
	if err := administer(ctx, d.server, end); err != nil {
		t.Fatal(err)
	}
	give()
	if err := d.own.Close(ctx); err != nil {
		t.Error(err)
	}
	if err := administer(ctx, d.server, "DROP DATABASE "+d.name); err != nil {
		t.Error(err)
	}
}
