package identity_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
	"rollcall/internal/seal/sealtest"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// shared are the engines on which two nodes can work together.
var shared = map[string]func(testing.TB) store.Config{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}

// pair returns two nodes on one store. They generate a report on every request.
func pair(t *testing.T, cfg store.Config) (one, two *world) {
	t.Helper()
	reports := identity.ReportConfig{MaxAge: time.Nanosecond}
	one = newWorld(t, cfg, identity.Config{Report: reports})
	two = &world{clock: one.clock, master: one.master, rootKey: one.rootKey}
	cfg.Now = one.clock.Now
	two.db = storetest.Open(t, cfg)
	var err error
	two.Service, err = identity.New(t.Context(), identity.Config{DB: two.db, Master: two.master,
		Derive: sealtest.Derive, Report: reports})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(two.Close)
	two.root = two.as(t, two.rootKey.ID, two.rootKey.Secret.Reveal())
	return one, two
}

// makeReport generates a report and returns it with its content.
func (w *world) makeReport(t *testing.T) (store.Report, []byte) {
	t.Helper()
	for must(t, w.root, w.GenerateCredentialReport,
		&iam.GenerateCredentialReportInput{}).State != types.ReportStateTypeStarted {
		time.Sleep(time.Millisecond)
	}
	w.waitReport(t)
	all, err := w.Reports(t.Context(), account, 1)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d reports, %v", len(all), err)
	}
	return all[0], w.content(t, all[0])
}

// content reads a report out of the store, and checks the stored facts about
// it.
func (w *world) content(t *testing.T, r store.Report) []byte {
	t.Helper()
	out := must(t, w.root, w.GetCredentialReport,
		&identity.GetCredentialReportInput{Rollcall: &struct{ At *time.Time }{&r.Generated}})
	var content bytes.Buffer
	if err := out.Content.WriteTo(&content); err != nil {
		t.Fatalf("report %+v: %v", r, err)
	}
	if content.Len() != int(r.Size) || bytes.Count(content.Bytes(), []byte("\n")) != int(r.Users) {
		t.Fatalf("report %+v has %d bytes and %d rows", r, content.Len(), bytes.Count(content.Bytes(), []byte("\n")))
	}
	return content.Bytes()
}

// crowd creates enough users, besides those of a history, to give the base of a
// report several pieces.
func (w *world) crowd(t *testing.T) {
	t.Helper()
	err := w.db.Update(t.Context(), func(tx *store.Tx) error {
		for i := range 400 {
			name := fmt.Sprintf("%c%04d", "0_abmqxz~"[i%9], i)
			u := store.User{Account: account, NameKey: name, Name: name, Path: "/" + strings.Repeat("p,\"", 160) + "/",
				ID: name, Created: tx.Now}
			if err := tx.InsertUser(u); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// history changes an account at random.
type history struct {
	*rand.Rand
	w     *world
	names []string
	n     int // of things that need their own names
	who   string
}

func newHistory(w *world, seed uint64, who string) *history {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 1)), w: w, who: who}
	for _, name := range []string{"a", "A-b", "=1+1", "x,y", "x.y", "~", "zz", "0", "@home", "Root", "_", "m,", "M-"} {
		h.names = append(h.names, name, name+"2", "q"+name)
	}
	return h
}

func (h *history) name() string { return h.names[h.IntN(len(h.names))] }

// key returns the key of a user or of root.
func (h *history) key() string {
	if h.IntN(12) == 0 {
		return ""
	}
	return strings.ToLower(h.name())
}

func (h *history) next() string {
	h.n++
	return fmt.Sprintf("%s%06d", h.who, h.n)
}

// step makes one change, if it is possible.
func (h *history) step(ctx context.Context) error {
	h.w.clock.advance(time.Duration(h.IntN(5000)) * time.Millisecond)
	name, key, other, id := h.name(), h.key(), h.name(), h.next()
	what := h.IntN(100)
	if what < 22 {
		return h.use(ctx, key)
	}
	err := h.w.db.Update(store.OnAccount(ctx, account), func(tx *store.Tx) error {
		switch {
		case what < 40:
			return tx.InsertUser(store.User{Account: account, NameKey: strings.ToLower(name), Name: name, Path: "/",
				ID: id, Created: tx.Now})
		case what < 51:
			return tx.RenameUser(account, strings.ToLower(name),
				store.User{NameKey: strings.ToLower(other), Name: other, Path: "/" + id[:h.w.path(id)] + "/"})
		case what < 55:
			return h.deleteUser(tx, strings.ToLower(name))
		case what < 92:
			return h.credential(tx, key, id)
		case what < 98:
			return tx.SetPasswordPolicy(account, store.PasswordPolicy{MinimumLength: 8, MaxAge: 30 * h.IntN(3)})
		default:
			return tx.SetLimit(account, "AccessKeysPerUser", 2+h.IntN(2))
		}
	})
	if errors.Is(err, store.ErrExists) || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

// path returns a path whose length depends on an id.
func (w *world) path(id string) int { return 1 + int(id[len(id)-1])%3 }

func (h *history) use(ctx context.Context, nameKey string) error {
	signedIn := h.IntN(2) == 0 // or else the keys were used
	err := h.w.db.View(ctx, func(tx *store.Tx) error {
		if signedIn {
			h.w.db.PasswordUsed(account, nameKey, tx.Now)
			return nil
		}
		var keys []store.AccessKey
		var err error
		for try := 0; try < 30 && len(keys) == 0 && err == nil; try++ { // most users have no key
			keys, err = tx.AccessKeys(account, h.key())
		}
		for _, k := range keys {
			h.w.db.KeyUsed(k.ID, store.LastUsed{At: tx.Now, Region: "eu", Service: "s3"})
		}
		return err
	})
	return errors.Join(err, h.w.db.Flush(ctx))
}

func (h *history) deleteUser(tx *store.Tx, nameKey string) error {
	var errs []error
	keys, err := tx.AccessKeys(account, nameKey)
	errs = append(errs, err)
	for _, k := range keys {
		errs = append(errs, tx.DeleteCredential(store.AccessKeyCredential, account, nameKey, k.ID))
	}
	certificates, err := tx.SigningCertificates(account, nameKey)
	errs = append(errs, err)
	for _, c := range certificates {
		errs = append(errs, tx.DeleteCredential(store.SigningCertificateCredential, account, nameKey, c.ID))
	}
	devices, err := tx.UserMFADevices(account, nameKey)
	errs = append(errs, err)
	for _, d := range devices {
		errs = append(errs, tx.UnassignMFADevice(account, d.Serial))
	}
	passkeys, err := tx.UserPasskeys(account, nameKey)
	errs = append(errs, err)
	for _, p := range passkeys {
		errs = append(errs, tx.DeletePasskey(account, p.Serial))
	}
	if err := tx.DeleteLoginProfile(account, nameKey); !errors.Is(err, store.ErrNotFound) {
		errs = append(errs, err)
	}
	return errors.Join(append(errs, tx.DeleteUser(account, nameKey))...)
}

// credential gives a user a credential, or changes or removes one.
func (h *history) credential(tx *store.Tx, key, id string) error {
	if _, err := tx.User(account, key); err != nil {
		return err
	}
	status := []string{"Active", "Inactive"}[h.IntN(2)]
	keys, err := tx.AccessKeys(account, key)
	if err != nil {
		return err
	}
	certificates, err := tx.SigningCertificates(account, key)
	if err != nil {
		return err
	}
	devices, err := tx.UserMFADevices(account, key)
	if err != nil {
		return err
	}
	passkeys, err := tx.UserPasskeys(account, key)
	if err != nil {
		return err
	}
	what := h.IntN(18)
	switch {
	case what == 0 || what == 1 || what == 14:
		return tx.InsertAccessKey(store.AccessKey{Account: account, NameKey: key, ID: id, Status: status, Created: tx.Now})
	case what == 2 && len(keys) > 0:
		return tx.SetCredentialStatus(store.AccessKeyCredential, account, key, keys[0].ID, status)
	case what == 3 && len(keys) > 1:
		return tx.DeleteCredential(store.AccessKeyCredential, account, key, keys[1].ID)
	case what == 4:
		return tx.InsertSigningCertificate(store.SigningCertificate{Account: account, NameKey: key, ID: id,
			Status: status, Uploaded: tx.Now})
	case what == 5 && len(certificates) > 0:
		return tx.SetCredentialStatus(store.SigningCertificateCredential, account, key, certificates[0].ID, status)
	case what == 6 && len(certificates) > 0:
		return tx.DeleteCredential(store.SigningCertificateCredential, account, key, certificates[0].ID)
	case what == 7 || what > 14:
		return tx.InsertLoginProfile(store.LoginProfile{Account: account, NameKey: key, Hash: "x", Created: tx.Now,
			Changed: tx.Now})
	case what == 8:
		return tx.SetPassword(account, key, id, false)
	case what == 9:
		return tx.DeleteLoginProfile(account, key)
	case what == 10:
		d := store.MFADevice{Account: account, Serial: id, ID: id, Assigned: true, NameKey: key, Seed: []byte{1},
			Created: tx.Now, Enabled: tx.Now}
		return errors.Join(tx.InsertMFADevice(d), tx.AssignMFADevice(d))
	case what == 11 && len(devices) > 0:
		return tx.UnassignMFADevice(account, devices[0].Serial)
	case what == 12:
		return tx.InsertPasskey(store.Passkey{Account: account, NameKey: key, Serial: id, ID: id, CredentialID: id,
			Credential: []byte{1}, Enabled: tx.Now})
	case what == 13 && len(passkeys) > 0:
		return tx.DeletePasskey(account, passkeys[0].Serial)
	}
	return nil
}

// A report that is assembled from patches has the same bytes as one that is
// generated from scratch: after any changes, on any node, and after any crash. It
// never changes.
func TestPatchedReports(t *testing.T) {
	for name, cfg := range shared {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			seed := rand.Uint64()
			t.Logf("seed %d", seed)
			one, two := pair(t, cfg(t))
			one.crowd(t)
			histories := []*history{newHistory(one, seed, "ONE"), newHistory(two, seed+1, "TWO")}
			r := histories[0].Rand
			contents, patched := map[int64][]byte{}, 0
			var reports []store.Report
			for range 60 {
				for range r.IntN(12) {
					if err := histories[r.IntN(2)].step(t.Context()); err != nil {
						t.Fatal(err)
					}
				}
				w := []*world{one, two}[r.IntN(2)]
				if r.IntN(10) == 0 {
					if err := w.AbandonReport(t.Context(), account, r.IntN(3)); err != nil {
						t.Fatal(err)
					}
				}
				one.clock.advance(time.Second) // no two reports have the same time
				report, content := w.makeReport(t)
				want, err := one.FromScratch(t.Context(), account)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(content, want) {
					t.Fatalf("report %+v\n%s\nfrom scratch\n%s", report, content, want)
				}
				if report.Base != report.Token {
					patched++
				}
				contents[report.Token] = content
				reports = append(reports, report)
			}
			if patched < 30 {
				t.Errorf("%d of 60 reports consist of patches", patched)
			}
			for _, r := range reports {
				if !bytes.Equal(one.content(t, r), contents[r.Token]) {
					t.Errorf("report %+v has changed", r)
				}
				want := sha256.Sum256(contents[r.Token])
				if sum, err := two.Sum(t.Context(), r); err != nil || sum != hex.EncodeToString(want[:]) {
					t.Errorf("report %+v has the sum %s, %v", r, sum, err)
				}
			}
		})
	}
}

// Changes that are made while a report is generated are in the next one.
func TestPatchedReportsBesideChanges(t *testing.T) {
	for name, cfg := range shared {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one, two := pair(t, cfg(t))
			for round := range 3 {
				stop := make(chan struct{})
				var wait sync.WaitGroup
				for i, w := range []*world{one, two, one, two} {
					h := newHistory(w, rand.Uint64(), fmt.Sprint("W", round, i))
					wait.Go(func() {
						for {
							select {
							case <-stop:
								return
							default:
							}
							if err := h.step(t.Context()); err != nil {
								t.Error(err)
								return
							}
						}
					})
				}
				for i := range 5 {
					[]*world{one, two}[i%2].makeReport(t)
				}
				close(stop)
				wait.Wait()
				one.clock.advance(time.Second)
				report, content := one.makeReport(t)
				want, err := one.FromScratch(t.Context(), account)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(content, want) {
					t.Fatalf("report %+v\n%s\nfrom scratch\n%s", report, content, want)
				}
			}
		})
	}
}

// A report with more patches than its reader holds at a time is read
// completely.
func TestReportOfManyPatches(t *testing.T) {
	for name, cfg := range shared {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := pair(t, cfg(t))
			var report store.Report
			var content []byte
			for round := range 3 {
				report, content = w.makeReport(t)
				w.clock.advance(time.Second)
				if round == 2 {
					break
				}
				err := w.db.Update(t.Context(), func(tx *store.Tx) error {
					var errs []error
					for i := range 110 {
						name := fmt.Sprintf("u%d-%d", i, round)
						errs = append(errs, tx.InsertUser(store.User{Account: account, NameKey: name, Name: name, Path: "/",
							ID: name, Created: tx.Now}))
					}
					return errors.Join(errs...)
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			want, err := w.FromScratch(t.Context(), account)
			if err != nil || !bytes.Equal(content, want) || report.Patches != 220 {
				t.Errorf("report %+v, %v\n%s\nfrom scratch\n%s", report, err, content, want)
			}
		})
	}
}

// An unreadable base does not spoil later reports.
func TestReportAfterADamagedBase(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for _, missing := range []bool{false, true} {
			w.clock.advance(time.Minute)
			if err := w.DamagedReport(t.Context(), account, missing); err != nil {
				t.Fatal(err)
			}
			w.user(t, fmt.Sprint("after", missing))
			w.clock.advance(time.Minute)
			report, err := w.NewReport(t.Context(), account)
			if err != nil {
				t.Fatalf("missing %t: %v", missing, err)
			}
			want, err := w.FromScratch(t.Context(), account)
			if err != nil || !bytes.Equal(w.content(t, report), want) {
				t.Errorf("missing %t: %v\n%s", missing, err, want)
			}
		}
	})
}

// A report of patches needs no second connection for reads.
func TestPatchesWithoutSpareConnections(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Readers = 4
		if cfg.URL != "" {
			cfg.URL += "&pool_max_conns=4"
		}
		w := newWorld(t, cfg, identity.Config{})
		if err := storetest.Seed(t.Context(), w.db, account, 2000); err != nil {
			t.Fatal(err)
		}
		w.clock.advance(time.Minute)
		if _, err := w.NewReport(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		const changed = 210 // more than are read together
		err := w.db.Update(t.Context(), func(tx *store.Tx) error {
			var errs []error
			for i := range changed {
				name := fmt.Sprintf("u%03d", i)
				errs = append(errs, tx.InsertUser(store.User{Account: account, NameKey: name, Name: name, Path: "/", ID: name,
					Created: tx.Now}))
			}
			return errors.Join(errs...)
		})
		if err != nil {
			t.Fatal(err)
		}
		w.clock.advance(time.Minute)
		var report store.Report
		err = w.db.View(t.Context(), func(tx *store.Tx) (err error) { // it holds a connection
			if _, err := tx.Account(account); err != nil {
				return err
			}
			report, err = w.NewReport(t.Context(), account)
			return err
		})
		want, scratch := w.FromScratch(t.Context(), account)
		if err != nil || scratch != nil || report.Patches != changed || !bytes.Equal(w.content(t, report), want) {
			t.Errorf("a report with %d patches: %v, %v", report.Patches, err, scratch)
		}
	})
}

// A panic in background work ends that work but not the process.
func TestPanicsOfJobs(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.clock.advance(time.Minute)
		if _, err := w.NewReport(t.Context(), account); err != nil {
			t.Fatal(err)
		}
		w.user(t, "new")
		w.clock.advance(time.Minute)
		mend := w.PanicInUnpacking()
		report, err := w.NewReport(t.Context(), account)
		mend()
		want, scratch := w.FromScratch(t.Context(), account)
		if err != nil || scratch != nil || !bytes.Equal(w.content(t, report), want) {
			t.Errorf("a report without the last one: %v, %v", err, scratch)
		}
		done := make(chan struct{})
		w.Background(func(context.Context) { defer close(done); panic("in the background") })
		<-done
	})
	if job, rows := identity.ReportsWithoutStore(t.Context(), account); job == nil || rows == nil {
		t.Errorf("without a store: %v, %v", job, rows)
	}
}
