package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"rollcall/internal/seal"
	"rollcall/internal/store"
	"rollcall/internal/words"
)

// databaseTime bounds the time for reading the database.
const databaseTime = 20 * time.Second

// database reads the database, and checks what it says about itself.
func (x *examination) database(ctx context.Context) {
	const check = "database"
	if x.Store.Path == "" && x.Store.URL == "" {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, databaseTime)
	defer cancel()
	in, err := store.Inspect(ctx, x.Store)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		x.fault(check, "there is no database at "+x.Store.Path,
			"name its directory with --data, or begin with 'rollcall account create'")
		return
	case err != nil && x.Store.URL == "":
		x.fault(check, reason(err), "restore the file from a backup if it is damaged")
		return
	case err != nil:
		x.fault(check, reason(err), "see that PostgreSQL runs, and that --store names it with the right password")
		return
	}
	x.store = in
	before := x.noted()
	x.durability(check)
	x.connection(check)
	if x.noted() == before {
		x.ok(check, x.describe())
	}
	x.schema()
}

func (x *examination) describe() string {
	text := x.store.Server + " with " + words.Count(x.store.Accounts, "account")
	if v := x.store.Encryption.Version; v != "" {
		text += ", over " + v
	}
	if x.Store.URL == "" && !x.store.Whole {
		text += "; only a part of the file was checked, because that takes long"
	}
	return text
}

// durability checks that what was acknowledged stays.
func (x *examination) durability(check string) {
	if x.store.Damage != "" {
		x.fault(check, "the file is damaged: "+x.store.Damage, "stop the service and restore a backup")
	}
	if n := x.store.Unread; n > 0 {
		x.warn(check, fmt.Sprintf("a log of %d bytes beside the file is not part of it yet, and was not checked", n),
			"start the service, and run this command again")
	}
	if len(x.store.Risks) > 0 {
		x.fault(check, "PostgreSQL may lose acknowledged changes: "+strings.Join(x.store.Risks, ", "),
			"turn these settings on")
	}
}

// connection checks how a server on another machine is reached.
func (x *examination) connection(check string) {
	if x.Store.URL == "" {
		return
	}
	if x.store.ReadOnly {
		x.fault(check, "the server is a standby and accepts no change",
			"name all hosts in the URL, with target_session_attrs=read-write")
	}
	if n := x.store.Spare; n >= 0 && n < connectionsOfNode {
		x.warn(check, fmt.Sprintf("PostgreSQL has room for %s only, and a node may need %d",
			words.Count(n, "more connection"), connectionsOfNode),
			"raise max_connections, or give the nodes a smaller pool_max_conns in the URL")
	}
	switch e := x.store.Encryption; {
	case !e.Needed:
	case e.Version == "":
		x.fault(check, "the connection to another machine is plain text", "set sslmode=verify-full in the URL")
	case !e.Verified:
		x.warn(check, "nobody verifies the server's certificate, so a man in the middle would not be noticed",
			"set sslmode=verify-full in the URL, and sslrootcert if the authority is your own")
	}
}

// connectionsOfNode is the number of connections that a node uses by default.
const connectionsOfNode = 17

func (x *examination) schema() {
	const check = "schema"
	switch found, knows := x.store.Schema, x.store.Knows; {
	case found == 0:
		x.warn(check, "the database is empty", "create the first account with 'rollcall account create'")
	case found > knows:
		x.fault(check, fmt.Sprintf("a later version of rollcall wrote the data: schema %d; this version knows schemas "+
			"up to %d", found, knows), "install that later version")
	case found < knows:
		x.warn(check, fmt.Sprintf("schema %d; the first start of this version will change it to %d", found, knows),
			"make a backup, and stop all processes of the earlier version before that start")
	default:
		x.ok(check, fmt.Sprintf("schema %d, the newest of this version", found))
	}
}

// masterKey checks that the master key file opens what it sealed.
func (x *examination) masterKey() {
	const check = "master key"
	const replace = "put the copy of the master key file in its place, or name it with --master-key"
	master, err := seal.LoadMasterKeys(x.MasterFile)
	sealed := x.store != nil && len(x.store.DataKeys) > 0
	switch {
	case errors.Is(err, fs.ErrNotExist) && !sealed:
		if x.store != nil {
			x.ok(check, "nothing is sealed yet; the first start creates the key")
		}
		return
	case errors.Is(err, fs.ErrNotExist):
		x.fault(check, x.MasterFile+" is missing, and without it no secret can be read", replace)
		return
	case err != nil:
		x.fault(check, reason(err), "see that the service's user, and nobody else, may read the file")
		return
	case !sealed:
		return
	}
	if x.keys, err = seal.NewKeyring(master, x.store.DataKeys); err != nil {
		x.keys = nil
		x.fault(check, x.MasterFile+": "+reason(err), replace)
		return
	}
	if old, pending := master.PreviousID(); pending {
		x.warn(check, "a rotation from "+old+" is incomplete", "run 'rollcall masterkey rotate' again")
		return
	}
	x.ok(check, fmt.Sprintf("%s opens %s", master.CurrentID(), words.Count(len(x.store.DataKeys), "data key")))
}
