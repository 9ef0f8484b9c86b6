package store

import (
	"os"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
)

// walKeeper keeps the write-ahead log short. SQLite moves the log into the
// database by itself. But it starts the log from the beginning only when no
// view is open, and never makes the file smaller. Views that follow each other
// without a gap, or a single long one, would leave a large useless file.
type walKeeper struct {
	path  string
	open  func() (*sqliteConn, error)
	quit  chan struct{}
	ended sync.WaitGroup
}

const (
	// walLimit is the length of the log up to which nothing is done. It is
	// twice the length that wal_autocheckpoint allows if views are short.
	walLimit = 32 << 20
	// walEvery is the time between two checks of the length.
	walEvery = 2 * time.Second
	// walPatience is the time for which edits wait for open views.
	walPatience = 20 * time.Millisecond
)

func startWALKeeper(path string, open func() (*sqliteConn, error)) *walKeeper {
	k := &walKeeper{path: path + "-wal", open: open, quit: make(chan struct{})}
	k.ended.Go(k.run)
	return k
}

func (k *walKeeper) stop() {
	close(k.quit)
	k.ended.Wait()
}

func (k *walKeeper) run() {
	tick := time.NewTicker(walEvery)
	defer tick.Stop()
	for {
		select {
		case <-k.quit:
			return
		case <-tick.C:
			// If this fails now, it will be tried again later.
			if info, err := os.Stat(k.path); err == nil && info.Size() > walLimit {
				_ = k.shorten()
			}
		}
	}
}

// shorten moves the log into the database, and then empties the file unless a
// view still needs it. The first step delays no edit. It leaves little for the
// second, which does delay edits.
func (k *walKeeper) shorten() error {
	c, err := k.open()
	if err != nil {
		return err
	}
	defer func() { _ = c.close() }()
	if err := c.db.BusyTimeout(walPatience); err != nil {
		return err
	}
	for _, mode := range []sqlite3.CheckpointMode{sqlite3.CHECKPOINT_PASSIVE, sqlite3.CHECKPOINT_TRUNCATE} {
		if _, _, err := c.db.WALCheckpoint("main", mode); err != nil {
			return sqliteError(err)
		}
	}
	return nil
}
