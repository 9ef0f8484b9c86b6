package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// A twin sees exactly what its view sees, while others write, and there are
// twins on a file and on PostgreSQL.
func TestTwin(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		db := storetest.Open(t, cfg)
		writers := []*store.DB{db}
		if !cfg.Memory {
			writers = append(writers, storetest.Open(t, cfg))
		}
		fill(t, db, "u")
		ctx, cancel := context.WithCancel(t.Context())
		var writing sync.WaitGroup
		for w, writer := range writers {
			writing.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					// It may end within a change.
					_ = writer.Update(ctx, func(tx *store.Tx) error { return tx.InsertUser(user(fmt.Sprintf("w%d-%d", w, i))) })
				}
			})
		}
		twins := 0
		for try := 0; try < 500 && (twins < 10 || try < 20); try++ {
			view(t, db, func(tx *store.Tx) error {
				twin, end, err := tx.Twin()
				if err != nil || twin == nil {
					return err
				}
				defer end()
				twins++
				other, err := twin.Users(account, "", "/", 1_000_000)
				if err != nil {
					return err
				}
				own, err := tx.Users(account, "", "/", 1_000_000)
				if d := cmp.Diff(own, other); d != "" {
					t.Errorf("the twin sees another state:\n%s", d)
				}
				return err
			})
		}
		cancel()
		writing.Wait()
		if twins < 10 && !cfg.Memory {
			t.Errorf("%d twins", twins)
		}
	})
}

// Twins, and transactions beside a view, take no connection that others may need.
func TestTwinsLeaveConnections(t *testing.T) {
	t.Parallel()
	for name, second := range map[string]func(*store.Tx) (*store.Tx, func(), error){
		"twin": (*store.Tx).Twin, "beside": (*store.Tx).Beside,
	} {
		t.Run(name, func(t *testing.T) { t.Parallel(); leavesConnections(t, second) })
	}
}

func leavesConnections(t *testing.T, second func(*store.Tx) (*store.Tx, func(), error)) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Readers = 4
		if cfg.URL != "" {
			cfg.URL += "&pool_max_conns=4"
		}
		db := storetest.Open(t, cfg)
		fill(t, db, "u")
		var nested func(depth, twins int)
		nested = func(depth, twins int) {
			view(t, db, func(tx *store.Tx) error {
				twin, end, err := second(tx)
				if err != nil {
					return err
				}
				if twin != nil {
					defer end()
					twins++
				}
				if twins > 1 {
					t.Errorf("%d twins of %d views", twins, depth)
				}
				if depth < 3 {
					nested(depth+1, twins)
				}
				return nil
			})
		}
		nested(1, 0)
		view(t, db, func(*store.Tx) error {
			view(t, db, func(tx *store.Tx) error {
				twin, end, err := second(tx)
				if twin != nil {
					end()
					t.Error("a twin takes one of the last two connections")
				}
				return err
			})
			return nil
		})
	})
}

// A transaction beside a view reads while the view does. In memory there is none
// while the emulator starts.
func TestBeside(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "u")
		read := false
		for try := 0; !read && try < 100; try++ {
			view(t, db, func(tx *store.Tx) (err error) {
				read, err = readsBeside(t, db, tx, fmt.Sprintf("new%d", try))
				return err
			})
			time.Sleep(10 * time.Millisecond)
		}
		if !read {
			t.Error("no transaction beside the view")
		}
	})
}

func readsBeside(t *testing.T, db *store.DB, tx *store.Tx, name string) (read bool, err error) {
	before, err := tx.Users(account, "", "/", 1000)
	if err != nil {
		return false, err
	}
	update(t, db, func(tx *store.Tx) error { return tx.InsertUser(user(name)) })
	beside, end, err := tx.Beside()
	if err != nil || beside == nil {
		return false, err
	}
	defer end()
	newer, err := beside.Users(account, "", "/", 1000)
	if err != nil {
		return false, err
	}
	same, err := tx.Users(account, "", "/", 1000)
	if len(newer) != len(before)+1 || len(same) != len(before) {
		t.Errorf("%d users in the view, then %d, and %d beside it", len(before), len(same), len(newer))
	}
	return true, err
}
