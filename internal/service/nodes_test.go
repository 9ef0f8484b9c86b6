package service_test

import (
	"testing"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

var emptySpec identity.AccountSpec

// sharedStores are the stores that two processes can share.
var sharedStores = map[string]func(testing.TB) store.Config{
	"sqlite":   func(t testing.TB) store.Config { return storetest.SQLite(t) },
	"postgres": func(t testing.TB) store.Config { return storetest.Postgres(t) },
}

// twoNodes returns two services on one store, with one master key and one
// clock.
func twoNodes(t *testing.T, db store.Config, cfg service.Config) (one, two *world) {
	t.Helper()
	clock := &clock{now: began}
	db.Now = clock.Now
	cfg.Store, cfg.Master = db, seal.InMemoryMasterKeys()
	one = newWorld(t, cfg)
	two = start(t, cfg)
	one.clock, two.clock = clock, clock
	two.rootKey = one.rootKey
	two.root = two.as(one.rootKey.ID, one.rootKey.Secret.Reveal())
	return one, two
}
