package store

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// CredentialRow is a user with everything that the credential report shows.
// Times are Unix seconds, 0 for never. Its slices are only valid until the next
// row.
type CredentialRow struct {
	NameKey, Name, Path []byte
	Created             int64

	HasPassword     bool
	PasswordChanged int64
	PasswordUsed    int64

	MFA bool

	Keys         []CredentialKey // in order of id
	Certificates []CredentialCertificate
}

// CredentialKey is an access key with the facts that the report shows.
type CredentialKey struct {
	Active          bool
	Created, Used   int64
	Region, Service string
}

// CredentialCertificate is a signing certificate with the facts that the report
// shows.
type CredentialCertificate struct {
	Active   bool
	Uploaded int64
}

// ScanCredentials calls fn with every user of an account, root first, then by
// folded name, all from the transaction's snapshot. It reads eight tables side
// by side in the order of their keys and merges them here: one pass, no join,
// in constant memory.
func (tx *Tx) ScanCredentials(account string, fn func(*CredentialRow) error) error {
	return tx.c.scan(tx.ctx, account, fn)
}

// ScanCredentialsOf is ScanCredentials of some users only. It passes over those
// that do not exist.
func (tx *Tx) ScanCredentialsOf(account string, nameKeys []string, fn func(*CredentialRow) error) error {
	var sql [scanTables]string
	in := "name_key " + fmt.Sprintf(tx.in, "$2")
	for i := range sql {
		sql[i] = strings.Replace(scanSQL[i], scanRange, in, 1)
	}
	return tx.c.scanOf(tx.ctx, sql, []any{account, tx.list(nameKeys)}, fn)
}

// These are the tables of a scan, and what is read of each. Every query takes
// the account and a half-open range of name_key, and begins with name_key.
const (
	scanUsers = iota
	scanProfiles
	scanPasswordUses
	scanDevices
	scanPasskeys
	scanKeys
	scanKeyUses
	scanCertificates
	scanTables
)

const scanRange = "name_key >= $2 AND name_key < $3"

var scanSQL = [scanTables]string{
	scanUsers: `SELECT name_key, name, path, created FROM users
		WHERE account = $1 AND ` + scanRange + ` ORDER BY name_key`,
	scanProfiles: `SELECT name_key, changed FROM login_profiles
		WHERE account = $1 AND ` + scanRange + ` ORDER BY name_key`,
	scanPasswordUses: `SELECT name_key, used FROM password_last_used
		WHERE account = $1 AND ` + scanRange + ` ORDER BY name_key`,
	scanDevices: `SELECT name_key FROM mfa_devices
		WHERE account = $1 AND ` + scanRange + ` ORDER BY name_key`,
	scanPasskeys: `SELECT name_key FROM passkeys
		WHERE account = $1 AND ` + scanRange + ` ORDER BY name_key`,
	scanKeys: `SELECT name_key, key_id, status, created FROM access_keys
		WHERE account = $1 AND ` + scanRange + ` ORDER BY name_key, key_id`,
	scanKeyUses: `SELECT name_key, key_id, used, region, service FROM access_key_last_used
		WHERE account = $1 AND ` + scanRange + ` ORDER BY name_key, key_id`,
	scanCertificates: `SELECT name_key, status, uploaded FROM signing_certificates
		WHERE account = $1 AND ` + scanRange + ` ORDER BY name_key, certificate_id`,
}

// endKey sorts after every name_key, because names are ASCII.
const endKey = "\x7f"

// source is one table of a scan. text and number read the current row.
type source interface {
	step() bool
	text(column int) []byte
	number(column int) int64
	err() error
}

// cursor is a source with the name_key of its current row.
type cursor struct {
	source
	key []byte
	end bool
}

func (c *cursor) advance() {
	if c.end = !c.step(); !c.end {
		c.key = append(c.key[:0], c.text(0)...)
	}
}

// at reports whether the current row belongs to this user.
func (c *cursor) at(key []byte) bool { return !c.end && bytes.Equal(c.key, key) }

// merge reads the users and the rows of every other table that belong to each.
type merge struct {
	tables [scanTables]cursor
	row    CredentialRow
	names  map[string]string // regions and services so far: few, and repeated often
	keyIDs [][]byte
}

func newMerge() *merge { return &merge{names: map[string]string{}} }

// run merges until the users end. All sources hold the same range of keys.
func (m *merge) run(ctx context.Context, sources [scanTables]source, fn func(*CredentialRow) error) error {
	for i, s := range sources {
		m.tables[i].source = s
		m.tables[i].advance()
	}
	users := &m.tables[scanUsers]
	for n := 0; !users.end; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		m.user()
		if err := fn(&m.row); err != nil {
			return err
		}
		users.advance()
	}
	for i := range m.tables {
		t := &m.tables[i]
		if err := t.err(); err != nil {
			return err
		}
		if !t.end {
			return fmt.Errorf("store: scan table %d has a row of no user", i)
		}
	}
	return nil
}

func (m *merge) user() {
	u := &m.tables[scanUsers]
	r := &m.row
	r.NameKey = u.key
	r.Name = append(r.Name[:0], u.text(1)...)
	r.Path = append(r.Path[:0], u.text(2)...)
	r.Created = u.number(3)
	r.HasPassword, r.PasswordChanged, r.PasswordUsed, r.MFA = false, 0, 0, false
	if t := &m.tables[scanProfiles]; t.at(u.key) {
		r.HasPassword, r.PasswordChanged = true, t.number(1)
		t.advance()
	}
	if t := &m.tables[scanPasswordUses]; t.at(u.key) {
		r.PasswordUsed = t.number(1)
		t.advance()
	}
	for _, i := range [...]int{scanDevices, scanPasskeys} {
		for t := &m.tables[i]; t.at(u.key); t.advance() {
			r.MFA = true
		}
	}
	m.keys(u.key)
	r.Certificates = r.Certificates[:0]
	for t := &m.tables[scanCertificates]; t.at(u.key); t.advance() {
		r.Certificates = append(r.Certificates, CredentialCertificate{
			Active:   string(t.text(1)) == "Active",
			Uploaded: t.number(2),
		})
	}
}

func (m *merge) keys(user []byte) {
	r := &m.row
	r.Keys = r.Keys[:0]
	for t := &m.tables[scanKeys]; t.at(user); t.advance() {
		i := len(r.Keys)
		if i == len(m.keyIDs) {
			m.keyIDs = append(m.keyIDs, nil)
		}
		m.keyIDs[i] = append(m.keyIDs[i][:0], t.text(1)...)
		r.Keys = append(r.Keys, CredentialKey{Active: string(t.text(2)) == "Active", Created: t.number(3)})
	}
	i := 0
	for t := &m.tables[scanKeyUses]; t.at(user); t.advance() {
		id := t.text(1)
		for i < len(r.Keys) && !bytes.Equal(m.keyIDs[i], id) {
			i++
		}
		if i < len(r.Keys) {
			k := &r.Keys[i]
			k.Used = t.number(2)
			k.Region, k.Service = m.name(t.text(3)), m.name(t.text(4))
		}
	}
}

// name interns a region or a service: it is the same string in every row.
func (m *merge) name(b []byte) string {
	s, ok := m.names[string(b)]
	if !ok {
		s = string(b)
		m.names[s] = s
	}
	return s
}
