package store_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

func passkey(serial, id, nameKey string) store.Passkey {
	return store.Passkey{
		Account: account, NameKey: nameKey, Serial: serial, ID: id,
		CredentialID: "c" + serial, Credential: []byte(`{}`),
		SignCount: 3, Enabled: created,
	}
}

func TestPasskey(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "Bob")
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.InsertPasskey(passkey("arn:a", "2", "bob")),
				tx.InsertPasskey(passkey("arn:b", "1", "bob")),
				tx.InsertPasskey(passkey("arn:root", "3", "")))
		})
		for _, taken := range []store.Passkey{passkey("arn:a", "4", ""), {Account: account, NameKey: "bob",
			Serial: "arn:c", CredentialID: "carn:a"}} {
			err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.InsertPasskey(taken) })
			if !errors.Is(err, store.ErrExists) {
				t.Errorf("a taken serial or credential: %v", err)
			}
		}
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.CountPasskeyUse(account, "arn:a", 9), tx.RenameUser(account, "bob",
				store.User{NameKey: "rob", Name: "rob", Path: "/"}))
		})
		view(t, db, func(tx *store.Tx) error {
			a := passkey("arn:a", "2", "rob")
			a.SignCount = 9
			all, err := tx.UserPasskeys(account, "rob")
			if diff := cmp.Diff([]store.Passkey{passkey("arn:b", "1", "rob"), a}, all); err != nil || diff != "" {
				t.Errorf("%v %s", err, diff)
			}
			refs, err := tx.UserReferences(account, "rob")
			if err != nil || refs.MFADevices != 2 {
				t.Errorf("%+v, %v", refs, err)
			}
			n, assigned, err := tx.CountMFADevices(account)
			if err != nil || n != 3 || assigned != 3 {
				t.Errorf("%d devices, %d assigned, %v", n, assigned, err)
			}
			mfa := map[string]bool{}
			err = tx.ScanCredentials(account, func(r *store.CredentialRow) error {
				mfa[string(r.Name)] = r.MFA
				return nil
			})
			if !mfa["rob"] || err != nil {
				t.Errorf("%v, %v", mfa, err)
			}
			return err
		})
		err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.DeleteUser(account, "rob") })
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("a user with passkeys: %v", err)
		}
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(tx.DeletePasskey(account, "arn:a"), tx.DeletePasskey(account, "arn:b"),
				tx.DeleteUser(account, "rob"))
		})
		if err := db.Update(t.Context(), func(tx *store.Tx) error {
			return tx.DeletePasskey(account,
				"arn:a")
		}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a passkey that is gone: %v", err)
		}
	})
}

// signIn returns a session of a token that begins at a time.
func signIn(token, nameKey string, at time.Time) store.SignInSession {
	return store.SignInSession{
		Account: account, NameKey: nameKey, ID: store.TokenID(token), Handle: "h" + token, State: []byte(token),
		Address:   "192.0.2.1",
		UserAgent: "test", Created: at, Used: at, Expires: at.Add(12 * time.Hour),
	}
}

// opens reports whether a token opens a session at a time.
func opens(t *testing.T, db *store.DB, token string) bool {
	t.Helper()
	s, err := db.OpenSession(t.Context(), token, time.Hour)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		t.Fatal(err)
	}
	return err == nil && string(s.Session().State) == token
}

func TestSession(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		now := created.Add(time.Hour)
		cfg.Now = func() time.Time { return now }
		db := storetest.Open(t, cfg)
		fill(t, db, "Bob", "eve")
		begin := func(token, nameKey string) {
			t.Helper()
			update(t, db, func(tx *store.Tx) error { return tx.InsertSession(signIn(token, nameKey, tx.Now)) })
		}
		begin("one", "bob")
		if !opens(t, db, "one") || opens(t, db, "two") || opens(t, db, store.TokenID("one")) {
			t.Error("one token opens one session")
		}
		start := now
		for _, c := range []struct {
			after time.Duration
			want  bool
		}{
			{50 * time.Minute, true}, {100 * time.Minute, true}, // used meanwhile
			{161 * time.Minute, false}, // idle
			{150 * time.Minute, true},
			{-14 * time.Minute, false}, // the time of the use is in the future now
		} {
			now = start.Add(c.after)
			if got := opens(t, db, "one"); got != c.want {
				t.Errorf("after %v: %v", c.after, got)
			}
		}
		now = start.Add(time.Hour)
		begin("two", "bob")
		now = now.Add(-16 * time.Minute) // the clock steps back
		if opens(t, db, "two") {
			t.Error("a session from the future opens")
		}
		for now = start.Add(time.Hour); now.Before(start.Add(13 * time.Hour)); now = now.Add(50 * time.Minute) {
			begin("x", "eve")
			update(t, db, func(tx *store.Tx) error { return tx.EndSession(account, store.TokenID("x")) })
			opens(t, db, "two")
		}
		if now = start.Add(13*time.Hour - time.Second); !opens(t, db, "two") {
			t.Error("a session that is used ends before its time")
		}
		if now = start.Add(13 * time.Hour); opens(t, db, "two") {
			t.Error("a session continues after its end")
		}
	})
}

// The first events end the sessions of a user, and the others do not.
func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		for what, c := range map[string]struct {
			do   func(tx *store.Tx) error
			open bool
		}{
			"rename": {func(tx *store.Tx) error {
				return tx.RenameUser(account, "bob", store.User{NameKey: "rob", Name: "rob", Path: "/"})
			}, true},
			"reset":    {func(tx *store.Tx) error { return tx.SetPasswordReset(account, "bob", true) }, true},
			"password": {func(tx *store.Tx) error { return tx.SetPassword(account, "bob", "h", false) }, false},
			"profile":  {func(tx *store.Tx) error { return tx.DeleteLoginProfile(account, "bob") }, false},
			"user": {func(tx *store.Tx) error {
				return errors.Join(tx.DeleteLoginProfile(account, "bob"), tx.DeleteUser(account, "bob"))
			}, false},
			"handle": {func(tx *store.Tx) error { return tx.EndUserSession(account, "bob", "hmine") }, false},
			"handle of other": {func(tx *store.Tx) error {
				return ignore(tx.EndUserSession(account, "eve", "hmine"))
			}, true},
			"other's": {func(tx *store.Tx) error { return tx.SetPassword(account, "eve", "h", false) }, true},
			"account": {func(tx *store.Tx) error { return tx.DeleteAccount(account) }, false},
		} {
			t.Run(what, func(t *testing.T) {
				update(t, db, func(tx *store.Tx) error { return ignore(tx.DeleteAccount(account)) })
				fill(t, db, "bob", "eve")
				now := db.Now()
				federated := signIn("federated", "", now)
				federated.Federated = true
				update(t, db, func(tx *store.Tx) error {
					ticket := store.SignInTicket{Account: account, NameKey: "bob", ID: "t", Purpose: "p", Created: now,
						Expires: now.Add(time.Hour)}
					return errors.Join(
						tx.InsertLoginProfile(store.LoginProfile{Account: account, NameKey: "bob", Hash: "g"}),
						tx.InsertLoginProfile(store.LoginProfile{Account: account, NameKey: "eve", Hash: "g"}),
						tx.InsertSession(signIn("mine", "bob", now)),
						tx.InsertSession(federated), tx.InsertTicket(ticket))
				})
				update(t, db, c.do)
				if got := opens(t, db, "mine"); got != c.open {
					t.Errorf("open: %v", got)
				}
				if got := opens(t, db, "federated"); got != (what != "account") {
					t.Errorf("the session of no user is open: %v", got)
				}
				view(t, db, func(tx *store.Tx) error {
					_, err := tx.TicketByID("t", "p")
					if what != "handle" && (err == nil) != c.open {
						t.Errorf("ticket: %v", err)
					}
					return nil
				})
			})
		}
	})
}

// ignore ignores a missing row.
func ignore(err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// The number of a user's sessions, tickets and places is limited.
func TestSignInsAreBounded(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "bob", "eve")
		at := db.Now()
		ticket := store.SignInTicket{Account: account, NameKey: "bob", Purpose: "mfa", Created: at,
			Expires: at.Add(time.Minute)}
		update(t, db, func(tx *store.Tx) error {
			errs := []error{tx.InsertSession(signIn("eve's", "eve", at))}
			for i := range 1000 {
				tx.Now = at.Add(time.Duration(i) * time.Second)
				ticket.ID, ticket.Created = fmt.Sprint("t", i), tx.Now
				errs = append(errs, tx.InsertTicket(ticket), tx.RememberPlace(account, "bob", fmt.Sprint("p", i)),
					tx.InsertSession(signIn(fmt.Sprint("s", i), "bob", tx.Now)))
			}
			return errors.Join(errs...)
		})
		view(t, db, func(tx *store.Tx) error {
			all, err := tx.Dump()
			got := map[string]int{"signin_sessions": 0, "signin_tickets": 0, "signin_places": 0}
			for table := range got {
				got[table] = len(all[table])
			}
			if diff := cmp.Diff(map[string]int{"signin_sessions": 101, "signin_tickets": 10, "signin_places": 20},
				got); diff != "" {
				t.Error(diff)
			}
			newest, err2 := tx.UserSessions(account, "bob")
			if len(newest) != 100 || string(newest[0].State) != "s999" || string(newest[99].State) != "s900" {
				t.Errorf("%d sessions are kept, not the newest", len(newest))
			}
			return errors.Join(err, err2)
		})
	})
}

// A ticket is taken once, for its purpose, while it is valid.
func TestTicket(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "bob")
		now := db.Now().UTC().Truncate(time.Second)
		put := func(id string, federated bool) {
			t.Helper()
			update(t, db, func(tx *store.Tx) error {
				return tx.InsertTicket(store.SignInTicket{
					Account: account, NameKey: "bob", Federated: federated, ID: id, Purpose: "mfa", State: []byte("s"),
					Created: now, Expires: now.Add(5 * time.Minute),
				})
			})
		}
		take := func(id, purpose string, at time.Time) error {
			return db.Update(t.Context(), func(tx *store.Tx) error {
				tx.Now = at
				got, err := tx.TakeTicket(id, purpose)
				if err == nil && (string(got.State) != "s" || got.Federated != (id == "f")) {
					t.Errorf("%+v", got)
				}
				return err
			})
		}
		put("t", false)
		put("f", true)
		for _, c := range []struct {
			id, purpose string
			after       time.Duration
		}{{"t", "code", 0}, {"u", "mfa", 0}, {"t", "mfa", 5 * time.Minute}, {"t", "mfa", -16 * time.Minute}} {
			if err := take(c.id, c.purpose, now.Add(c.after)); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("%+v: %v", c, err)
			}
		}
		update(t, db, func(tx *store.Tx) error { return tx.TryTicket(account, "t", []byte("s")) })
		view(t, db, func(tx *store.Tx) error {
			got, err := tx.TicketByID("t", "mfa")
			if got.Tries != 1 || got.NameKey != "bob" {
				t.Errorf("%+v", got)
			}
			return err
		})
		var wg sync.WaitGroup
		var taken atomic.Int64
		for range 8 {
			wg.Go(func() {
				if err := take("t", "mfa", now); err == nil {
					taken.Add(1)
				} else if !errors.Is(err, store.ErrNotFound) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if taken.Load() != 1 {
			t.Errorf("taken %d times", taken.Load())
		}
		if err := take("f", "mfa", now); err != nil {
			t.Error(err)
		}
	})
}

func TestPauses(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		rule := store.Pause{Free: 3, First: 2 * time.Second, Most: 10 * time.Second, Forget: time.Hour}
		now := created
		try := func(place string, at time.Time) (wait time.Duration) {
			t.Helper()
			update(t, db, func(tx *store.Tx) (err error) {
				tx.Now = at
				wait, err = tx.TryAt(place, rule)
				return err
			})
			return wait
		}
		var wg sync.WaitGroup
		var let atomic.Int64
		for range 20 {
			wg.Go(func() {
				if try("a", now) == 0 {
					let.Add(1)
				}
			})
		}
		wg.Wait()
		if let.Load() != 3 {
			t.Errorf("%d of 20 tries at once were let", let.Load())
		}
		for i, c := range []struct {
			after, want time.Duration
		}{
			{0, 2 * time.Second}, {time.Second, time.Second}, {2 * time.Second, 0}, // the fourth
			{3 * time.Second, 3 * time.Second}, {6 * time.Second, 0}, {14 * time.Second, 0},
			{15 * time.Second, 9 * time.Second},  // not longer than Most
			{10 * time.Second, 10 * time.Second}, // another node's clock
			{-20 * time.Minute, 0},               // a wrong clock
		} {
			if got := try("a", now.Add(c.after)); got != c.want {
				t.Errorf("%d: after %v: %v, want %v", i, c.after, got, c.want)
			}
		}
		if got := try("b", now); got != 0 {
			t.Errorf("another place: %v", got)
		}
		for range 5 {
			try("c", now)
		}
		update(t, db, func(tx *store.Tx) error { return errors.Join(tx.TakeBackTry("c"), tx.TakeBackTry("nowhere")) })
		if got := try("c", now); got != 0 {
			t.Errorf("after a try is taken back: %v", got)
		}
		if got := try("c", now.Add(time.Hour)); got != 0 {
			t.Errorf("after a quiet hour: %v", got)
		}
		for range 3 {
			try("c", now.Add(time.Hour))
		}
		update(t, db, func(tx *store.Tx) error { return tx.ForgetTries("c") })
		if got := try("c", now.Add(time.Hour)); got != 0 {
			t.Errorf("after all is forgotten: %v", got)
		}
		if err := db.ForgetSignIns(t.Context(), now, now.Add(10*time.Hour)); err != nil {
			t.Fatal(err)
		}
		view(t, db, func(tx *store.Tx) error {
			all, err := tx.Dump()
			if len(all["signin_pauses"]) != 0 {
				t.Errorf("left: %v", all["signin_pauses"])
			}
			return err
		})
	})
}

func TestPlaces(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		fill(t, db, "bob", "eve")
		update(t, db, func(tx *store.Tx) error { tx.Now = created; return tx.RememberPlace(account, "bob", "here") })
		for _, c := range []struct {
			nameKey, place string
			now, since     time.Time
			want           bool
		}{
			{"bob", "here", created, created, true}, {"bob", "there", created, created, false}, {"eve", "here", created,
				created, false},
			{"bob", "here", created, created.Add(time.Second), false}, {"bob", "here", created.Add(-time.Hour),
				created.Add(-time.Hour), false},
		} {
			view(t, db, func(tx *store.Tx) error {
				tx.Now = c.now
				got, err := tx.KnowsPlace(account, c.nameKey, c.place, c.since)
				if got != c.want {
					t.Errorf("%+v: %v", c, got)
				}
				return err
			})
		}
		if err := db.ForgetPlaces(t.Context(), created.Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		view(t, db, func(tx *store.Tx) error {
			got, err := tx.KnowsPlace(account, "bob", "here", created.Add(-time.Hour))
			if got {
				t.Error("a place is not forgotten")
			}
			return err
		})
	})
}
