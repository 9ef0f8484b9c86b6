package service_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"rollcall/internal/identity"
	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// schemas has a folder for each schema so far, by its number. It contains a
// data directory with one of everything, a backup of it, and what a client
// knows of it. Their secrets are worthless, because they belong to no other
// service.
const schemas = "../store/testdata/schemas"

// kept holds what a client knows of a data directory.
type kept struct {
	Root, User [2]string // access keys and their secrets
	// Device has the serial number and the seed of the person's MFA device.
	Device [2]string
	// Session is the token of the session of a signed-in person.
	Session string
	Issuer  string
	Summary map[string]int32
	Report  string
	At      time.Time
}

// Data directories and backups of every earlier schema still work, and each
// becomes the same data.
func TestEarlierSchemas(t *testing.T) {
	t.Parallel()
	folders, err := filepath.Glob(schemas + "/[0-9]*")
	if err != nil || len(folders) == 0 {
		t.Fatalf("no earlier schema: %v", err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			unpacked := unpack(t, filepath.Join(folder, "rollcall.db.zst"))
			if err := os.WriteFile(filepath.Join(dir, "rollcall.db"), unpacked, 0o600); err != nil {
				t.Fatal(err)
			}
			opened := upgraded(t, folder, store.Config{Path: filepath.Join(dir, "rollcall.db")}, nil)
			backup, err := os.ReadFile(filepath.Join(folder, "backup"))
			if err != nil {
				t.Fatal(err)
			}
			restored := upgraded(t, folder, storetest.SQLite(t), backup)
			if diff := cmp.Diff(opened, restored); diff != "" {
				t.Errorf("a backup becomes other data than a directory: -directory +backup\n%s", diff)
			}
			upgraded(t, folder, storetest.Postgres(t), backup)
		})
	}
}

// upgraded opens a store with data of an earlier schema, and checks that it
// works. If backup is not nil it restores the backup first. It returns the rows
// of all tables on SQLite, except those that a restore changes.
func upgraded(t *testing.T, folder string, cfg store.Config, backup []byte) (all []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "known.json"))
	if err != nil {
		t.Fatal(err)
	}
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		t.Fatal(err)
	}
	file := masterCopy(t, folder)
	if backup != nil {
		restoreInto(t, cfg, file, backup)
	}
	now := &clock{now: k.At}
	cfg.Now = now.Now
	w := start(t, service.Config{Store: cfg, MasterFile: file, PublicURL: consoleOrigin})
	w.clock = now
	if cfg.Path != "" {
		all = migrated(t, w)
	}
	w.serves(t, k)
	return all
}

func masterCopy(t *testing.T, folder string) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(folder, "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "master.key")
	if err := os.WriteFile(file, key, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func restoreInto(t *testing.T, cfg store.Config, masterFile string, backup []byte) {
	t.Helper()
	master, err := seal.LoadMasterKeys(masterFile)
	if err != nil {
		t.Fatal(err)
	}
	to := &world{cfg: service.Config{Store: cfg}}
	to.beside(t, func(db *store.DB) error {
		_, err := db.Restore(t.Context(), bytes.NewReader(backup), false, master)
		return err
	})
}

// migrated returns the schema and the rows of a store.
func migrated(t *testing.T, w *world) (all []string) {
	t.Helper()
	r := openRows(t, w)
	all = r.texts(t, "SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name")
	for table := range tableRows(t, w.cfg.Store) {
		columns := "*"
		switch table {
		case "report_jobs": // a restore gives the next report a token that none had before
			columns = "account, node, running, expires_ms"
		case "data_keys": // a restored key may have sealed more than the backup says
			continue
		case "outbox", "trail_heads", "report_marks", "report_recordings": // not in a backup
			continue
		}
		for _, row := range r.texts(t, "SELECT "+columns+" FROM "+table) {
			all = append(all, table+" "+row)
		}
	}
	slices.Sort(all)
	return all
}

// serves checks that clients find what they know.
func (w *world) serves(t *testing.T, k kept) {
	t.Helper()
	w.rootKey.ID = k.Root[0]
	w.root = w.as(k.Root[0], k.Root[1])
	same(t, must(t, w.root.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap, k.Summary)
	if got := string(w.report(t, w.root).Content); got != k.Report {
		t.Errorf("the report is\n%s\nand was\n%s", got, k.Report)
	}
	user := w.as(k.User[0], k.User[1])
	if got := *must(t, user.sts.GetCallerIdentity, &sts.GetCallerIdentityInput{}).Arn; got != userPath+"/thing" {
		t.Errorf("the user is %s", got)
	}
	if !w.isOpen(t, seal.NewSecret(k.Session)) {
		t.Error("a session has ended")
	}
	w.clock.advance(10 * time.Minute)
	w.enterWith(t, "person", phone{k.Device[0], k.Device[1]})
	if got := *must(t, w.root.GetOutboundWebIdentityFederationInfo, infoIn).IssuerIdentifier; got != k.Issuer {
		t.Errorf("the issuer is %s, and was %s", got, k.Issuer)
	}
	webIdentity(t, user, "RS256")
	// A new report can be generated, and all data can be backed up.
	w.waitReport(t, w.root)
	if row := reportRow(string(w.report(t, w.root).Content), "person"); row["mfa_active"] != "true" {
		t.Errorf("the report says of the person %v", row)
	}
}

// Each schema is kept from the day on which it becomes the newest.
func TestSchemaIsKept(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(schemas, fmt.Sprintf("%05d", newestSchema(t)))
	_, err := os.Stat(folder)
	switch {
	case errors.Is(err, fs.ErrNotExist) && *update:
		keep(t, folder)
	case err != nil:
		t.Errorf("no data of the newest schema is kept. Keep it now, because later nobody can: "+
			"go test ./internal/service -run TestSchemaIsKept -update (%v)", err)
	}
	if !*update {
		w := start(t, service.Config{Store: storetest.SQLite(t)})
		cfg := store.Config{Path: filepath.Join(t.TempDir(), "rollcall.db")}
		if err := os.WriteFile(cfg.Path, unpack(t, filepath.Join(folder, "rollcall.db.zst")), 0o600); err != nil {
			t.Fatal(err)
		}
		const tables = "SELECT sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
		was := openRows(t, &world{cfg: service.Config{Store: cfg}}).texts(t, tables)
		if diff := cmp.Diff(openRows(t, w).texts(t, tables), was); diff != "" {
			t.Errorf("the migrations have changed since data of the newest schema was kept: delete %s "+
				"and keep it again (-want +kept)\n%s", folder, diff)
		}
	}
}

func newestSchema(t *testing.T) int {
	t.Helper()
	db := storetest.Open(t, store.Config{Memory: true})
	info, err := db.Backup(t.Context(), new(bytes.Buffer), nil)
	if err != nil {
		t.Fatal(err)
	}
	return info.Schema
}

// keptReportAge is short, so that there can be several reports.
const keptReportAge = 500 * time.Millisecond

// keep writes a data directory of the newest schema, with one of everything.
func keep(t *testing.T, folder string) {
	t.Helper()
	dir := t.TempDir()
	master := filepath.Join(dir, "master.key")
	path := filepath.Join(dir, "rollcall.db")
	w := newWorld(t, service.Config{Store: store.Config{Path: path}, MasterFile: master, PublicURL: consoleOrigin,
		Report: identity.ReportConfig{MaxAge: keptReportAge}})
	k := w.furnishAll(t)
	var backup bytes.Buffer
	keys, err := seal.LoadMasterKeys(master)
	if err != nil {
		t.Fatal(err)
	}
	w.beside(t, func(db *store.DB) error {
		_, err := db.Backup(t.Context(), &backup, keys)
		return err
	})
	for table, n := range tableRows(t, w.cfg.Store) {
		if n == 0 && table != "outbox" && table != "trail_heads" && !strings.HasPrefix(table, "turns_") {
			t.Errorf("furnishAll puts nothing into table %s", table)
		}
	}
	w.end() // which writes everything to the file
	if t.Failed() {
		return
	}
	write := func(name string, content []byte, err error) {
		if err = errors.Join(err, os.MkdirAll(folder, 0o755)); err == nil {
			err = os.WriteFile(filepath.Join(folder, name), content, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := os.ReadFile(master)
	write("master.key", key, err)
	known, err := json.MarshalIndent(k, "", "\t")
	write("known.json", append(known, '\n'), err)
	write("backup", backup.Bytes(), nil)
	database, err := os.ReadFile(path)
	write("rollcall.db.zst", pack(t, database), err)
}

// furnishAll writes something to every table, and returns what a client knows.
func (w *world) furnishAll(t *testing.T) kept {
	t.Helper()
	has := w.furnish(t, w.root, account, "thing", "mark")
	must(t, w.root.PutUserPolicy, &iam.PutUserPolicyInput{UserName: ptr("thing"), PolicyName: ptr("token"),
		PolicyDocument: ptr(allowAll)})
	must(t, w.root.DeleteUserPermissionsBoundary, &iam.DeleteUserPermissionsBoundaryInput{UserName: ptr("thing")})
	w.furnishAccount(t)
	user := w.as(has["key"], has["secret"])
	k := kept{Root: [2]string{w.root.id, w.root.key}, User: [2]string{user.id, user.key}, Issuer: w.enable(t)}
	webIdentity(t, user, "RS256")
	webIdentity(t, user, "ES384")
	must(t, user.ListUsers, &iam.ListUsersInput{})

	p := w.holder(t, "person")
	k.Device = [2]string{p.serial, p.seed}
	must(t, w.root.PutUserPermissionsBoundary,
		&iam.PutUserPermissionsBoundaryInput{UserName: ptr("person"), PermissionsBoundary: ptr(adminARN)})
	token := w.enterWith(t, "person", p)
	k.Session = token.Reveal()
	if _, _, err := w.enrol(t, token, "person", "key"); err != nil {
		t.Fatal(err)
	}
	w.asked(t, "person") // leaves a ticket
	_, atDoor := w.SignIn.Begin(t.Context(), here, as("thing", "wrong"))
	_, changing := user.ChangePassword(t.Context(),
		&iam.ChangePasswordInput{OldPassword: ptr("wrong"), NewPassword: ptr(otherPassword)})
	if atDoor == nil || changing == nil {
		t.Fatal("a wrong password was right")
	}
	w.clock.advance(time.Minute)
	w.furnishTools(t, token)
	w.waitReport(t, w.root)
	for _, name := range []string{"second", "third", "fourth"} {
		w.user(t, name) // each report differs from the previous one by a row
		w.clock.advance(time.Minute)
		time.Sleep(2 * keptReportAge) // of the database's clock
		w.waitReport(t, w.root)
	}
	k.Report = string(w.report(t, w.root).Content)
	w.user(t, "fifth") // and so will the next
	k.Summary = must(t, w.root.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap
	k.At = w.clock.Now()
	return k
}

// furnishAccount sets everything that an account and its operator can set.
func (w *world) furnishAccount(t *testing.T) {
	t.Helper()
	must(t, w.root.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: ptr("example")})
	must(t, w.root.UpdateAccountPasswordPolicy,
		&iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: ptr(int32(10)), PasswordReusePrevention: ptr(int32(5)),
			AllowUsersToChangePassword: true})
	must(t, w.root.PutAccountProperties,
		&iam.PutAccountPropertiesInput{Properties: map[string]string{"RoleManager/Enabled": "false"}})
	must(t, w.root.UpdateLoginProfile,
		&iam.UpdateLoginProfileInput{UserName: ptr("thing"), Password: ptr(otherPassword)})
	_, key := keyPair(t, w, "saml")
	must(t, w.root.UpdateSAMLProvider,
		&iam.UpdateSAMLProviderInput{SAMLProviderArn: ptr(samlPath + "/thing"), AddPrivateKey: key})
	ctx := t.Context()
	if err := errors.Join(w.IAM.SetLimits(ctx, account, map[string]int{"AccessKeysPerUser": 3}),
		w.IAM.PutControlPolicy(ctx, account, "guard", allowAll)); err != nil {
		t.Fatal(err)
	}
	// Two wrong codes are counted.
	user := w.as(w.root.id, w.root.key)
	d := must(t, user.CreateVirtualMFADevice,
		&iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr("guessed")}).VirtualMFADevice
	_, err := user.EnableMFADevice(ctx, &iam.EnableMFADeviceInput{UserName: ptr("thing"), SerialNumber: d.SerialNumber,
		AuthenticationCode1: ptr("000000"), AuthenticationCode2: ptr("000001")})
	if err == nil {
		t.Fatal("wrong codes were right")
	}
}

// furnishTools gives a person a session of a tool, as 'aws login' does.
func (w *world) furnishTools(t *testing.T, token seal.Secret) {
	t.Helper()
	session, err := w.SignIn.Open(t.Context(), token)
	if err != nil {
		t.Fatal(err)
	}
	g := session.Grant()
	w.beside(t, func(db *store.DB) error {
		return db.Update(t.Context(), func(tx *store.Tx) error {
			tool := store.ToolSession{Account: account, NameKey: g.NameKey, ID: "tool", CodeID: "code", TokenID: "token",
				Session: g.Handle, State: []byte("{}"), Address: "192.0.2.1", UserAgent: "aws-cli/2", Created: tx.Now,
				Renewed: tx.Now, Expires: g.Expires}
			return errors.Join(tx.InsertTool(tool), tx.ShowProof(account, "proof"))
		})
	})
}

// beside opens the store a second time, and closes it again.
func (w *world) beside(t *testing.T, do func(*store.DB) error) {
	t.Helper()
	db, err := store.Open(t.Context(), w.cfg.Store)
	if err == nil {
		err = errors.Join(do(db), db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func pack(t *testing.T, content []byte) []byte {
	t.Helper()
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression))
	if err != nil {
		t.Fatal(err)
	}
	return e.EncodeAll(content, nil)
}

func unpack(t *testing.T, file string) []byte {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	content, err = d.DecodeAll(content, nil)
	if err != nil {
		t.Fatal(err)
	}
	return content
}
