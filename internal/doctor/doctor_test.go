package doctor_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3/driver"

	"rollcall/internal/doctor"
	"rollcall/internal/identity"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
	"rollcall/internal/trail"
)

// installation returns an installation in which nothing is wrong, on a
// database.
func installation(t *testing.T, db store.Config) doctor.Config {
	t.Helper()
	c := describe(t.TempDir(), db)
	if err := os.Chmod(c.Data, 0o700); err != nil {
		t.Fatal(err)
	}
	if db.URL != "" {
		furnish(t, c)
		return c
	}
	template.Do(func() { furnish(t, describe(templateDir, sqlite)) })
	if err := os.CopyFS(c.Data, os.DirFS(templateDir)); err != nil {
		t.Fatal(err)
	}
	for name := range tree(t, c.Data) {
		if name != "." {
			check(t, os.Chmod(filepath.Join(c.Data, name), 0o600))
		}
	}
	return c
}

// templateDir has an installation that others are copies of.
var (
	template    sync.Once
	templateDir string
)

func TestMain(m *testing.M) {
	var err error
	if templateDir, err = os.MkdirTemp("", "rollcall-doctor-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(templateDir)
	os.Exit(code)
}

func describe(data string, db store.Config) doctor.Config {
	if db.URL == "" {
		db = store.Config{Path: filepath.Join(data, "rollcall.db")}
	}
	return doctor.Config{
		Data: data, Store: db, MasterFile: filepath.Join(data, "master.key"), Trail: filepath.Join(data, "trail.jsonl"),
		Listen: "127.0.0.1:0", Admin: "127.0.0.1:0", Root: os.DirFS("/"), Room: doctor.Room{Least: 1, Enough: 1},
	}
}

func furnish(t *testing.T, c doctor.Config) {
	t.Helper()
	start(t, c, func(s *service.Service) {
		if _, err := s.IAM.CreateAccount(t.Context(), identity.AccountSpec{ID: "123456789012"}); err != nil {
			t.Fatal(err)
		}
	})
}

// start runs a service on the installation while fn runs. It leaves three
// records in the trail.
func start(t *testing.T, c doctor.Config, fn func(*service.Service)) {
	t.Helper()
	to, err := trail.Open(c.Trail)
	if err != nil {
		t.Fatal(err)
	}
	s, err := service.Open(context.Background(), service.Config{Store: c.Store, MasterFile: c.MasterFile, Trail: to})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		record := &trail.Record{EventTime: time.Now(), EventName: fmt.Sprintf("Event%d", i), EventType: "AwsApiCall"}
		if err := to.Write(record); err != nil {
			t.Fatal(err)
		}
	}
	fn(s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// expect checks that the examination finds one thing that is not OK.
func expect(t *testing.T, c doctor.Config, check string, result doctor.Result, text string) {
	t.Helper()
	found := false
	for _, f := range doctor.Examine(t.Context(), c) {
		switch {
		case f.Check == check && f.Result == result && strings.Contains(f.Found, text):
			found = true
			if f.Do == "" {
				t.Errorf("nothing to do: %+v", f)
			}
		case f.Result != doctor.OK:
			t.Errorf("also found: %+v", f)
		}
	}
	if !found {
		t.Errorf("not found: %s %s %q", check, result, text)
	}
}

// tree returns the names, modes, times and contents of the files of a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := os.Stat(filepath.Join(dir, path))
		if err != nil {
			return err
		}
		all[path] = fmt.Sprint(info.Mode(), info.ModTime())
		if info.Mode().IsRegular() {
			text, err := os.ReadFile(filepath.Join(dir, path))
			if err != nil {
				return err
			}
			all[path] += fmt.Sprintf(" %x", sha256.Sum256(text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Nothing is wrong with a new installation, and the examination changes nothing.
func TestHealthy(t *testing.T) {
	t.Parallel()
	c := installation(t, sqlite)
	before := tree(t, c.Data)
	checks := map[string]bool{}
	for _, f := range doctor.Examine(t.Context(), c) {
		if f.Result != doctor.OK || f.Do != "" || f.Found == "" {
			t.Errorf("%+v", f)
		}
		checks[f.Check] = true
	}
	for _, check := range []string{"settings", "data directory", "files", "database", "schema", "master key", "trail",
		"clock", "disk of " + c.Data, "service", "memory", "descriptors"} {
		if !checks[check] {
			t.Errorf("no finding about the %s", check)
		}
	}
	if diff := cmp.Diff(before, tree(t, c.Data)); diff != "" {
		t.Errorf("the examination changed files: -before +after\n%s", diff)
	}
}

// Beside a running service the examination reads changes that are only in the
// write-ahead log, and does not disturb the service.
func TestBesideService(t *testing.T) {
	t.Parallel()
	c := installation(t, sqlite)
	start(t, c, func(s *service.Service) {
		if _, err := s.IAM.CreateAccount(t.Context(), identity.AccountSpec{ID: "210987654321"}); err != nil {
			t.Fatal(err)
		}
		before := tree(t, c.Data)
		found := doctor.Examine(t.Context(), c)
		if doctor.Worst(found) != doctor.OK {
			t.Errorf("%+v", found)
		}
		if text := fmt.Sprint(found); !strings.Contains(text, "2 accounts") {
			t.Errorf("the second account was not seen: %s", text)
		}
		after := tree(t, c.Data)
		// SQLite's readers mark in this map which part of the log they read.
		delete(before, "rollcall.db-shm")
		delete(after, "rollcall.db-shm")
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("the examination changed files: -before +after\n%s", diff)
		}
		if _, err := s.IAM.CreateAccount(t.Context(), identity.AccountSpec{ID: "345678901234"}); err != nil {
			t.Error(err)
		}
	})
}

// Servers of tests do without fsync, and nothing else is wrong.
func TestPostgres(t *testing.T) {
	t.Parallel()
	c := installation(t, storetest.Postgres(t))
	expect(t, c, "database", doctor.Fault, "PostgreSQL may lose acknowledged changes: fsync = off")
}

// Nobody answers at the address, and the password is not in the findings.
func TestPostgresAway(t *testing.T) {
	t.Parallel()
	c := installation(t, sqlite)
	c.Store = store.Config{URL: "postgres://rollcall:hunter2@127.0.0.1:1/rollcall"}
	expect(t, c, "database", doctor.Fault, "cannot reach PostgreSQL at 127.0.0.1:1")
	if text := fmt.Sprint(doctor.Examine(t.Context(), c)); strings.Contains(text, "hunter2") {
		t.Error(text)
	}
}

// execute changes the SQLite file of an installation behind its back.
func execute(t *testing.T, c doctor.Config, statement string) {
	t.Helper()
	db, err := driver.Open("file:" + c.Store.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
}

// sqlite asks for a file in the data directory.
var sqlite store.Config

// breakage is something that goes wrong.
type breakage struct {
	do     func(*testing.T, *doctor.Config)
	check  string
	result doctor.Result
	text   string
}

// try runs each breakage on an installation of its own.
func try(t *testing.T, all map[string]breakage) {
	for name, b := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := installation(t, sqlite)
			b.do(t, &c)
			expect(t, c, b.check, b.result, b.text)
		})
	}
}

// A server that follows another one accepts no change.
func TestStandby(t *testing.T) {
	t.Parallel()
	first, err := storetest.StartServer(t.Context(), true)
	check(t, err)
	t.Cleanup(func() { first.Stop() })
	second, err := first.StartStandby(t.Context())
	check(t, err)
	t.Cleanup(func() { second.Stop() })
	c := installation(t, store.Config{URL: first.URL})
	for _, f := range doctor.Examine(t.Context(), c) {
		if f.Result != doctor.OK {
			t.Errorf("the first server: %+v", f)
		}
	}
	c.Store.URL = second.URL
	expect(t, c, "database", doctor.Fault, "the server is a standby and accepts no change")
}
