package store

import "testing"

// Only a signer that was read in the state that the database still has is used.
func TestSignersOfThisState(t *testing.T) {
	state := databaseState{1, "5:5:"}
	read := func(c *signerCache, s databaseState) {
		before, _ := c.get("AKIA1")
		c.put("AKIA1", signer{user: userKey{"a", "u"}, grants: &Grants{}, state: s, opened: before.opened})
	}
	for name, test := range map[string]struct {
		change       func(*signerCache)
		now          databaseState
		ask, current bool
	}{
		"unchanged":      {func(*signerCache) {}, state, true, true},
		"a commit":       {func(*signerCache) {}, databaseState{1, "6:6:"}, true, false},
		"another server": {func(*signerCache) {}, databaseState{2, "5:5:"}, true, false},
		// A server that crashed may have lost transactions, and may use their
		// numbers again.
		"a new connection": {(*signerCache).connected, state, false, false},
		"read over an older connection": {func(c *signerCache) {
			before, _ := c.get("AKIA1")
			c.connected()
			c.put("AKIA1", signer{grants: &Grants{}, state: state, opened: before.opened})
		}, state, false, false},
		"seen to have changed": {func(c *signerCache) { c.current(signer{}, databaseState{1, "6:6:"}) }, state, false, true},
		"commits all the time": {func(c *signerCache) {
			read(c, databaseState{1, "6:6:"})
			read(c, state)
		}, state, false, true},
		"of an unknown state": {func(c *signerCache) {
			read(c, databaseState{})
			read(c, databaseState{})
		}, databaseState{}, false, true},
		"without grants": {func(c *signerCache) {
			c.put("AKIA1", signer{state: state, opened: c.opened})
		}, state, false, true},
		"forgotten": {func(c *signerCache) { c.forget("AKIA1") }, state, false, false},
	} {
		c := &signerCache{}
		read(c, state)
		read(c, state)
		test.change(c)
		s, ask := c.get("AKIA1")
		if ask != test.ask {
			t.Errorf("%s: ask %v", name, ask)
		}
		if current := c.current(s, test.now); test.ask && current != test.current {
			t.Errorf("%s: current %v", name, current)
		}
	}
	c := &signerCache{}
	read(c, state)
	read(c, state)
	s, _ := c.get("AKIA1")
	if c.connected(); c.current(s, state) {
		t.Error("current although a connection was opened meanwhile")
	}
}

// Servers that only speak PostgreSQL's protocol have other snapshots.
func TestOwnPostgres(t *testing.T) {
	for version, want := range map[string]bool{
		"PostgreSQL 15.14 (Debian 15.14-0+deb12u1) on x86_64-pc-linux-gnu, compiled by gcc":        true,
		"PostgreSQL 17.2 on aarch64-unknown-linux-gnu, compiled by gcc":                            true,
		"PostgreSQL 15.2-YB-2.25.0.0-b0 on x86_64-pc-linux-gnu, compiled by clang":                 false,
		"PostgreSQL 15.4 (Greenplum Database 7.1.0 build (Ubuntu)) on x86_64-pc-linux-gnu, by gcc": false,
		"CockroachDB CCL v24.1.0 (x86_64-pc-linux-gnu, built 2024/05/15 21:28:29, go1.22.2)":       false,
		"EnterpriseDB 9.5, like PostgreSQL 15.4 on x86_64-pc-linux-gnu":                            false,
	} {
		if got := ownPostgres.MatchString(version); got != want {
			t.Errorf("%s: %v", version, got)
		}
	}
}
