package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/spf13/cobra"

	"rollcall/internal/ownfile"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/trail"
	"rollcall/internal/words"
)

func backupCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var force bool
	c := &cobra.Command{
		Use:     "backup FILE",
		GroupID: "operate",
		Short:   "Write all data to a file",
		Long: `Write a snapshot of all data to a file (- for standard output). The service may
be running. 'rollcall restore' restores the file into SQLite or PostgreSQL,
whichever it came from. The file has secrets as they are stored: sealed or
hashed. It does not have the master key: keep a copy of that in another place. On
restore, the master key also proves that nobody changed the backup.`,
		Example: `  rollcall backup monday.rollcall
  rollcall backup --force latest.rollcall
  rollcall backup - | age -r age1… >monday.rollcall.age`,
		RunE: func(cmd *cobra.Command, args []string) error { return in.backup(cmd.Context(), args[0], force) },
	}
	in.addActing(c)
	c.Flags().BoolVar(&force, "force", false, "replace FILE if it exists")
	return c
}

// openStore opens the installation's database without its secrets.
func (in *install) openStore(ctx context.Context, create bool) (*store.DB, error) {
	cfg, err := in.database(create)
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, cfg)
	return db, in.explain(err)
}

func (in *install) backup(ctx context.Context, file string, force bool) (err error) {
	if _, terminal := width(in.p.stdout); terminal && file == "-" {
		return usageError("a backup is not for a terminal: name a FILE, or send standard output to a file or a pipe")
	}
	// The file may be the last good backup of data that is now damaged.
	if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() && !force {
		return usageError("%s exists: name another file, or give --force to replace it", file)
	}
	db, err := in.openStore(ctx, false)
	if err != nil {
		return err
	}
	a := &act{name: "BackUp", reads: true, asked: map[string]any{"file": file}}
	done, err := in.begin(a)
	if err != nil {
		return errors.Join(err, db.Close())
	}
	defer func() { err = done(err) }()
	var info store.BackupInfo
	write := func(w io.Writer) error {
		master, err := in.loadMasterKey()
		if err == nil {
			info, err = db.Backup(ctx, w, master)
		}
		return in.explain(err)
	}
	if file == "-" {
		err = spool(in.p.stdout, write)
	} else {
		err = ownfile.Write(file, write)
	}
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	a.made = figures(info)
	in.p.tell("Backed up %s.\nThe master key is not in the backup: keep a copy of %s in another place.\n",
		describe(info), in.masterFile())
	return nil
}

// spool first writes to a file without a name, because a slow reader of the
// backup must not keep the store's snapshot open.
func spool(to io.Writer, write func(io.Writer) error) error {
	f, err := os.CreateTemp("", "rollcall-backup-*")
	if err != nil {
		return err
	}
	defer f.Close()
	os.Remove(f.Name())
	if err := write(f); err != nil {
		return err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(to, f)
	return err
}

// figures returns the counts of a backup for the trail.
func figures(info store.BackupInfo) map[string]any {
	return map[string]any{"accounts": info.Accounts, "users": info.Users, "rows": info.Rows,
		"taken": words.Time(info.Taken)}
}

func describe(info store.BackupInfo) string {
	return fmt.Sprintf("%s and %s (%s)", words.Count(info.Accounts, "account"), words.Count(info.Users, "user"),
		words.Count(info.Rows, "row"))
}

func restoreCommand(p *process) *cobra.Command {
	in := &install{p: p}
	var force, unverified bool
	c := &cobra.Command{
		Use:     "restore FILE",
		GroupID: "operate",
		Short:   "Restore a backup into an empty store",
		Long: `Restore a backup (- for standard input) into an empty store. The command first
reads the file to its end, so a file that is damaged or cut short changes
nothing. The backup does not have the master key: put the key file that sealed
the data in its place, or name it with --master-key. The key proves that nobody
changed the backup. Without that proof the command refuses the backup.`,
		Example: `  rollcall restore monday.rollcall
  rollcall restore monday.rollcall --store env://DATABASE_URL`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return in.restore(cmd.Context(), args[0], force, unverified)
		},
	}
	in.addActing(c)
	c.Flags().BoolVar(&force, "force", false, "replace everything in the store")
	c.Flags().BoolVar(&unverified, "unverified", false,
		"restore a backup that cannot be verified: one of an earlier version, or without its master key")
	return c
}

func (in *install) restore(ctx context.Context, file string, force, unverified bool) error {
	f, err := in.openBackup(file)
	if err != nil {
		return err
	}
	defer f.Close()
	var master *seal.MasterKeys
	if !unverified {
		// Check first whether the file is a backup.
		if _, err := store.CheckBackup(f, nil); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if master, err = in.loadMasterKey(); err != nil {
			return fmt.Errorf(
				"the master key that sealed the backup verifies it: put that file in its place, name it with "+
					"--master-key, or give --unverified: %w", err)
		}
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	// The backup is read before a data directory is created for it.
	_, err = store.CheckBackup(f, master)
	if errors.Is(err, store.ErrUnverified) {
		return fmt.Errorf("%s: %w; --unverified restores it anyway", file, err)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	a := &act{name: "Restore", asked: map[string]any{"file": file, "force": force, "unverified": unverified}}
	return in.restoreChecked(ctx, a, f, force, master)
}

// restoreChecked stores its record together with the restored data. So the record
// exists even if this process dies before it writes the trail.
func (in *install) restoreChecked(
	ctx context.Context, a *act, f io.ReadSeeker, force bool, master *seal.MasterKeys,
) error {
	db, err := in.openStore(ctx, true)
	if err != nil {
		return err
	}
	t, err := in.openTrail()
	if err != nil {
		return errors.Join(notBegun(err), db.Close())
	}
	failed, unrecorded := service.Act(ctx, db, t, func(err error) *trail.Record { return in.record(a, err) },
		func(ctx context.Context) error {
			info, err := db.Restore(ctx, f, force, master)
			if errors.Is(err, store.ErrNotEmpty) {
				err = errors.New("the store has accounts already: --force replaces everything in it")
			}
			if err != nil {
				return err
			}
			a.made = figures(info)
			a.made["verified"] = info.Verified
			in.tellRestored(info, in.masterKeyFits(ctx, db))
			return nil
		})
	return closed(t, errors.Join(ended(failed, unrecorded), db.Close()))
}

// tellRestored says what was restored, and whether its secrets can be read.
func (in *install) tellRestored(info store.BackupInfo, fits error) {
	in.p.tell("Restored %s as of %s.\n", describe(info), words.Time(info.Taken))
	if !info.Verified {
		in.p.tell("The backup was not verified: somebody may have changed it.\n")
	}
	switch {
	case errors.Is(fits, fs.ErrNotExist):
		in.p.tell("The master key is not in the backup: put the key file that sealed it at %s.\n", in.masterFile())
	case fits != nil:
		in.p.tell("The master key file %s did not seal this backup: replace it, or no secret can be read.\n",
			in.masterFile())
	}
}

// loadMasterKey reads the master key file, which must exist.
func (in *install) loadMasterKey() (*seal.MasterKeys, error) {
	return seal.LoadMasterKeys(in.masterFile())
}

// openBackup opens a file that can be read twice. It copies standard input to a
// file without a name.
func (in *install) openBackup(file string) (*os.File, error) {
	if info, err := os.Stat(file); file != "-" && err == nil && info.IsDir() {
		return nil, &os.PathError{Op: "read", Path: file, Err: syscall.EISDIR}
	}
	if file != "-" {
		return os.Open(file)
	}
	f, err := os.CreateTemp("", "rollcall-restore-*")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name())
	if _, err = io.Copy(f, in.p.stdin); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// masterKeyFits returns an error unless the master key file opens the store.
func (in *install) masterKeyFits(ctx context.Context, db *store.DB) error {
	master, err := seal.LoadMasterKeys(in.masterFile())
	if err != nil {
		return err
	}
	return db.View(ctx, func(tx *store.Tx) error {
		keys, err := tx.DataKeys()
		if err != nil {
			return err
		}
		_, err = seal.NewKeyring(master, keys)
		return err
	})
}
