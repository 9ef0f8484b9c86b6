package store

import (
	"context"
	"fmt"
	"time"

	"rollcall/internal/seal"
	"rollcall/internal/trail"
)

// Inspection holds the facts that a database knows about itself.
type Inspection struct {
	// Server names the engine and its version.
	Server string
	// Schema is the version of the schema, 0 for an empty database. Knows is the
	// newest one that this program knows.
	Schema, Knows int64
	// Clock is the engine's clock, and Asked the middle of the time in which it
	// was read, by Config.Now.
	Clock, Asked time.Time
	// Newest is the time of the newest credential report, zero without one.
	Newest   time.Time
	Accounts int
	DataKeys []seal.WrappedKey
	// TrailHeads are the heads of the trail's files.
	TrailHeads []trail.KnownHead
	// Unread is the number of bytes of SQLite's write-ahead log that no process
	// has read, and that Inspect has not read either.
	Unread int64
	// Damage describes damage that SQLite found in its file, or is "". Whole says that it
	// read the file to its end within checkTime.
	Damage string
	Whole  bool
	// Risks are settings of the server by which an acknowledged change may be
	// lost.
	Risks []string
	// Encryption describes the connection to PostgreSQL.
	Encryption Encryption
	// Spare is the number of connections that PostgreSQL accepts beyond those
	// that it has. ReadOnly says that it accepts no change.
	Spare    int
	ReadOnly bool

	now func() time.Time
}

// Encryption is the state of a connection to a server.
type Encryption struct {
	Needed   bool   // the server is on another machine
	Version  string // of TLS, "" for plain text
	Verified bool   // the server's certificate was verified
}

// Inspect reads what the database says about itself. It changes nothing, not
// even the schema, and it creates no file. Another process may use the database.
func Inspect(ctx context.Context, cfg Config) (*Inspection, error) {
	in := &Inspection{Knows: newestSchema(), now: cfg.Now}
	if in.now == nil {
		in.now = time.Now
	}
	var err error
	if cfg.URL != "" {
		err = unreached(inspectPostgres(ctx, cfg, in))
	} else {
		err = withPath(cfg.Path, inspectSQLite(ctx, cfg, in))
	}
	if err != nil {
		return nil, fmt.Errorf("inspect store: %w", err)
	}
	return in, nil
}

// checkTime bounds the time for which SQLite looks for damage.
const checkTime = 5 * time.Second

// read reads the tables. migrated is a query that counts the tables that every
// schema has.
func (in *Inspection) read(tx *Tx, migrated string) error {
	var tables int
	if err := tx.one([]any{&tables}, migrated); err != nil || tables == 0 {
		return err
	}
	var ms int64
	before := in.now()
	if err := tx.one([]any{&ms}, "SELECT "+tx.clock); err != nil {
		return err
	}
	in.Clock, in.Asked = time.UnixMilli(ms), before.Add(in.now().Sub(before)/2)
	if err := tx.one([]any{&in.Schema}, schemaQuery); err != nil || in.Schema == 0 || in.Schema > in.Knows {
		return err
	}
	if err := tx.one([]any{&in.Accounts}, "SELECT COUNT(*) FROM accounts"); err != nil {
		return err
	}
	if err := tx.one([]any{&in.Newest}, "SELECT COALESCE(MAX(generated), 0) FROM reports"); err != nil {
		return err
	}
	purpose := "purpose"
	if in.Schema < firstPurposes {
		purpose = "'rows'"
	}
	var err error
	if in.Schema >= firstTrailHeads {
		if in.TrailHeads, err = tx.trailHeads(); err != nil {
			return err
		}
	}
	in.DataKeys, err = list(tx, func(k *seal.WrappedKey) []any {
		return []any{&k.ID, &k.MasterKeyID, &k.Wrapped, (*string)(&k.Purpose)}
	}, "SELECT id, master_key_id, wrapped, "+purpose+" FROM data_keys ORDER BY created, id")
	return err
}

const (
	// firstPurposes is the first schema whose data keys have a purpose.
	firstPurposes = 7
	// firstTrailHeads is the first schema with the heads of the trail.
	firstTrailHeads = 15
)
