package service_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// keeper is a store whose nodes have trails in files.
type keeper struct {
	cfg  service.Config
	root *world // the world that created the account
}

// node starts a node with its trail at path, changes something and returns its
// log.
func (k *keeper) node(t *testing.T, path, user string) (w *world, log string) {
	t.Helper()
	to, err := trail.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	cfg := k.cfg
	cfg.Trail = to
	if k.root == nil {
		w = newWorld(t, cfg)
		k.root = w
	} else {
		w = start(t, cfg)
		w.root = w.as(k.root.rootKey.ID, k.root.rootKey.Secret.Reveal())
	}
	log = strings.Join(w.log.lines(), "\n")
	w.user(t, user)
	return w, log
}

func (k *keeper) heads(t *testing.T) (heads []trail.KnownHead) {
	t.Helper()
	k.root.beside(t, func(db *store.DB) (err error) {
		heads, err = db.TrailHeads(t.Context())
		return err
	})
	return heads
}

func cutTrail(t *testing.T, path string, lines int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := bytes.SplitAfter(bytes.TrimSuffix(text, []byte{'\n'}), []byte{'\n'})
	if err := os.WriteFile(path, bytes.Join(all[:len(all)-lines], nil), 0o600); err != nil {
		t.Fatal(err)
	}
}

const notWhole = "the trail is not whole"

// The database knows where each node's trail ends. So a node that starts notices
// what was cut off while it was away.
func TestTrailThatWasCut(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := cfg(t)
			db.Now = (&clock{now: began}).Now
			k := &keeper{cfg: service.Config{Store: db, Master: seal.InMemoryMasterKeys()}}
			here, there := filepath.Join(t.TempDir(), "trail.jsonl"), filepath.Join(t.TempDir(), "trail.jsonl")
			one, _ := k.node(t, here, "a")
			two, _ := k.node(t, there, "b")
			// The head is stored soon after a change, for the case of a crash.
			for deadline := time.Now().Add(time.Minute); len(k.heads(t)) < 2; time.Sleep(100 * time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("the database knows %v", k.heads(t))
				}
			}
			one.end()
			two.end()
			first := k.heads(t)
			one, log := k.node(t, here, "c")
			one.end()
			if strings.Contains(log, notWhole) {
				t.Errorf("a whole trail: %s", log)
			}
			// At the end the head is the last checkpoint.
			for _, h := range k.heads(t) {
				if gap, err := trail.Missing(h.Path, h.Head); gap != nil || err != nil {
					t.Errorf("%v %v", gap, err)
				}
				if h.Path == here {
					cutTrail(t, here, 1)
					if gap, _ := trail.Missing(h.Path, h.Head); gap == nil {
						t.Error("the last record is not known")
					}
				}
			}
			one, log = k.node(t, here, "d")
			one.end()
			if !strings.Contains(log, notWhole) || !strings.Contains(log, "which the database knows, is missing") {
				t.Errorf("a trail that was cut: %s", log)
			}
			one, log = k.node(t, here, "e")
			one.end()
			if strings.Contains(log, notWhole) {
				t.Errorf("once more: %s", log)
			}
			if _, log = k.node(t, there, "f"); strings.Contains(log, notWhole) {
				t.Errorf("the other node: %s", log)
			}
			k.forged(t, first[0])
		})
	}
}

// forged gives the database a head that was not written by the service.
func (k *keeper) forged(t *testing.T, h trail.KnownHead) {
	t.Helper()
	h.Seq = 1 << 40
	k.root.beside(t, func(db *store.DB) error { return db.KeepTrailHead(t.Context(), &h) })
	w, log := k.node(t, h.Path, "g")
	if w.end(); !strings.Contains(log, service.ErrForgedHead.Error()) {
		t.Errorf("a forged head: %s", log)
	}
	for _, now := range k.heads(t) {
		if now.Place == h.Place && now.Seq == h.Seq {
			t.Error("a forged head stays")
		}
	}
}

// A backup has no heads: after its restore the trail may be longer, or on
// another machine. Those of the same installation stay, because the trail does.
func TestTrailHeadsAndBackups(t *testing.T) {
	t.Parallel()
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := cfg(t)
			db.Now = (&clock{now: began}).Now
			k := &keeper{cfg: service.Config{Store: db, Master: seal.InMemoryMasterKeys()}}
			path := filepath.Join(t.TempDir(), "trail.jsonl")
			w, _ := k.node(t, path, "a")
			var backup bytes.Buffer
			w.beside(t, func(db *store.DB) error {
				_, err := db.Backup(t.Context(), &backup, k.cfg.Master)
				return err
			})
			w.user(t, "b")
			w.end()
			was := k.heads(t)
			restore := func(cfg store.Config) {
				(&world{cfg: service.Config{Store: cfg}}).beside(t, func(db *store.DB) error {
					_, err := db.Restore(t.Context(), bytes.NewReader(backup.Bytes()), true, k.cfg.Master)
					return err
				})
			}
			restore(db)
			same(t, k.heads(t), was)
			w, log := k.node(t, path, "c") // its trail is longer than its data
			w.end()
			if strings.Contains(log, notWhole) {
				t.Errorf("after a restore: %s", log)
			}

			other := cfg(t)
			other.Now = db.Now
			k = &keeper{cfg: service.Config{Store: other, Master: k.cfg.Master}}
			w, _ = k.node(t, path+"x", "a")
			w.end()
			restore(other)
			if heads := k.heads(t); len(heads) != 0 {
				t.Errorf("heads that other keys prove: %v", heads)
			}
		})
	}
}
