package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/identity"
	"rollcall/internal/ownfile"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// install says where an installation stores its data. The service and the
// operator's commands share it.
type install struct {
	p         *process
	data      string
	store     string
	masterKey string
	trail     string // for the operator's acts
	// allowPlain allows connections without TLS to PostgreSQL on another machine.
	allowPlain bool
}

// add adds the flags of an installation to a command.
func (in *install) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&in.data, "data", "rollcall-data", "data `directory`, which only its owner may open")
	f.StringVar(&in.store, "store", "",
		"use the PostgreSQL database at this `URL`, postgres://…; file://PATH or env://NAME says where the URL is")
	f.StringVar(&in.masterKey, "master-key", "",
		"`file` of the key that seals all secrets (default master.key in the data directory)")
	f.BoolVar(&in.allowPlain, "allow-plain-postgres", false,
		"allow sslmode=disable for PostgreSQL on another machine")
	settings(f, "data", "store", "master-key", "allow-plain-postgres")
	must(c.MarkFlagDirname("data"))
	must(c.MarkFlagFilename("master-key"))
}

// database returns the installation's database. Unless create is set it must
// exist, so that a mistyped --data does not create an empty installation.
func (in *install) database(create bool) (store.Config, error) {
	if in.store != "" {
		link, err := in.storeURL()
		if err != nil || in.masterKey != "" {
			return store.Config{URL: link, AllowPlain: in.allowPlain}, err
		}
		return store.Config{URL: link, AllowPlain: in.allowPlain}, in.directory(true)
	}
	if err := in.directory(create); err != nil {
		return store.Config{}, err
	}
	path := filepath.Join(in.data, "rollcall.db")
	if _, err := os.Stat(path); !create && errors.Is(err, fs.ErrNotExist) {
		return store.Config{}, in.missing()
	}
	return store.Config{Path: path}, nil
}

func (in *install) missing() error {
	return fmt.Errorf("there is no data in %s: name the directory with --data, or begin with 'rollcall account create'",
		in.data)
}

// directory checks that nobody else can read the data directory. It creates a
// missing one if create is set.
func (in *install) directory(create bool) error {
	if create {
		if err := ownfile.MkdirAll(in.data); err != nil {
			return fmt.Errorf("create data directory: %w", err)
		}
	}
	info, err := os.Stat(in.data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return in.missing()
	case err != nil:
		return fmt.Errorf("open data directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("%s is not a directory", in.data)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("the data directory %s is open to others (mode %04o): chmod 700 it", in.data,
			info.Mode().Perm())
	}
	return nil
}

// storeURL reads --store. It refuses a password on the command line, which
// everyone on the machine can read.
func (in *install) storeURL() (string, error) {
	link, err := in.p.reference(in.store)
	if err != nil {
		return "", usageError("read --store: %w", err)
	}
	u, err := url.Parse(link)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return "", usageError("--store is not a postgres:// URL")
	}
	_, secret := u.User.Password()
	if (secret || u.Query().Has("password")) && link == in.store && link != in.p.env(variable("store")) {
		return "", usageError(
			"--store has a password, which everyone on this machine could see: use file://PATH, env://NAME, " +
				"ROLLCALL_STORE or PostgreSQL's password file")
	}
	return link, nil
}

// reference reads a setting that may be secret. "file://PATH" and "env://NAME"
// say where the value is. Everything else is the value.
func (p *process) reference(value string) (string, error) {
	if name, ok := strings.CutPrefix(value, "env://"); ok {
		if v := p.env(name); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("the environment variable %s is not set", name)
	}
	if path, ok := strings.CutPrefix(value, "file://"); ok {
		text, err := os.ReadFile(path)
		return strings.TrimRight(string(text), "\r\n"), err
	}
	return value, nil
}

func (in *install) masterFile() string {
	if in.masterKey != "" {
		return in.masterKey
	}
	return filepath.Join(in.data, "master.key")
}

// open opens the installation for its operator. The service may be running at the
// same time.
func (in *install) open(ctx context.Context, create bool) (*service.Service, error) {
	db, err := in.database(create)
	if err != nil {
		return nil, err
	}
	none, err := trail.Open("off") // the operator is not a caller of the API
	if err != nil {
		return nil, err
	}
	s, err := service.Open(ctx, service.Config{
		Store: db, MasterFile: in.masterFile(), Trail: none,
		// The number of reports to keep is a setting of the service, which
		// deletes the others with its next report.
		Report: identity.ReportConfig{History: store.ReportHistory{Count: math.MaxInt32}},
	})
	return s, in.explain(err)
}

// explain adds the name of the master key file to an error if the file is
// missing or the wrong one.
func (in *install) explain(err error) error {
	if errors.Is(err, store.ErrPlainPostgres) {
		return usageError(
			"%w: others could read passwords and names on the way; set sslmode=verify-full, or give "+
				"--allow-plain-postgres to connect anyway", err)
	}
	if errors.Is(err, seal.ErrMasterKeyFile) {
		return err // the error names the file already
	}
	if errors.Is(err, seal.ErrWrongMasterKey) || errors.Is(err, service.ErrNoMasterKey) {
		return fmt.Errorf("%s: %w", in.masterFile(), err)
	}
	return err
}

// with runs fn on the installation.
func (in *install) with(ctx context.Context, create bool, fn func(*service.Service) error) error {
	s, err := in.open(ctx, create)
	if err != nil {
		return err
	}
	return errors.Join(fn(s), s.Close())
}

// flags returns the flags that name this installation, for commands that are
// shown to the operator. It is "" for the default installation.
func (in *install) flags() string {
	text := ""
	if in.data != "rollcall-data" {
		text += " --data " + in.data
	}
	if in.store != "" {
		text += " --store …"
	}
	if in.allowPlain {
		text += " --allow-plain-postgres"
	}
	if in.masterKey != "" {
		text += " --master-key " + in.masterKey
	}
	return text
}
