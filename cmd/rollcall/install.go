package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"rollcall/internal/ownfile"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/trail"
)

// install says where an installation keeps what it knows: the same for the
// service and for its operator.
type install struct {
	p         *process
	data      string
	store     string
	masterKey string
	trail     string // of the operator's acts
	// allowPlain allows plain text to a PostgreSQL beyond this machine.
	allowPlain bool
}

// add gives a command the flags of an installation.
func (in *install) add(c *cobra.Command) {
	f := c.Flags()
	f.StringVar(&in.data, "data", "rollcall-data", "data `directory`, for its owner only")
	f.StringVar(&in.store, "store", "",
		"keep the data in PostgreSQL: postgres://…, or the place of that `URL`: file://PATH, env://NAME")
	f.StringVar(&in.masterKey, "master-key", "",
		"`file` of the key that all secrets are sealed with (default master.key in the data directory)")
	f.BoolVar(&in.allowPlain, "allow-plain-postgres", false,
		"allow sslmode=disable to a PostgreSQL beyond this machine")
	settings(f, "data", "store", "master-key", "allow-plain-postgres")
	must(c.MarkFlagDirname("data"))
	must(c.MarkFlagFilename("master-key"))
}

// database names the installation's database. Where create is false it must
// be there already, so that a mistyped --data is not answered by an empty
// installation.
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

// directory makes the data directory, or looks whether others could read it.
func (in *install) directory(create bool) error {
	if create {
		if err := ownfile.MkdirAll(in.data); err != nil {
			return fmt.Errorf("make data directory: %w", err)
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

// storeURL reads --store. A password must not be on the command line,
// where everyone on the machine can read it.
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
				"ROLLCALL_STORE or PostgreSQL's own password file")
	}
	return link, nil
}

// reference reads a setting that may be secret: "file://PATH" and "env://NAME"
// name its place, everything else is the value.
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

// open opens the installation for its operator, beside a service that may be
// running on it.
func (in *install) open(ctx context.Context, create bool) (*service.Service, error) {
	db, err := in.database(create)
	if err != nil {
		return nil, err
	}
	none, err := trail.Open("off") // the operator is not a caller of the API
	if err != nil {
		return nil, err
	}
	s, err := service.Open(ctx, service.Config{Store: db, MasterFile: in.masterFile(), Trail: none})
	return s, in.explain(err)
}

// explain names the file where the master key is missing or the wrong one.
func (in *install) explain(err error) error {
	if errors.Is(err, store.ErrPlainPostgres) {
		return usageError(
			"%w, where passwords and names could be read on the way: give sslmode=verify-full, or "+
				"--allow-plain-postgres to do it all the same", err)
	}
	if errors.Is(err, seal.ErrMasterKeyFile) {
		return err // names it already
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

// flags repeats what tells this installation from the default one, for
// commands that are shown to the operator.
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
