package store

import (
	"strconv"
	"strings"
)

// cellKind says how a column's values stand in a backup.
type cellKind string

const (
	textCell     cellKind = "text"
	numberCell   cellKind = "number"
	bytesCell    cellKind = "bytes"
	optionalCell cellKind = "text?" // a text that may be NULL
)

// backupTable is a table as a backup has it.
type backupTable struct {
	Name    string         `json:"name"`
	Columns []backupColumn `json:"columns"`
	// order is the primary key's columns.
	order string
}

type backupColumn struct {
	Name string   `json:"name"`
	Kind cellKind `json:"kind"`
}

// backupTables are all tables, those that others refer to first. A test
// compares them with the schema.
var backupTables = []backupTable{
	newBackupTable("data_keys", "id", "id master_key_id wrapped:bytes created:number"),
	newBackupTable("accounts", "account", "account aws_partition created:number user_count:number"),
	newBackupTable("account_aliases", "account", "account alias"),
	newBackupTable("account_limits", "account, name", "account name value:number"),
	newBackupTable("password_policies", "account", `account minimum_length:number require_symbols:number require_numbers:number
		require_upper:number require_lower:number allow_change:number max_age:number reuse:number hard_expiry:number`),
	newBackupTable("users", "account, name_key", "account name_key name path user_id created:number"),
	newBackupTable("user_tags", "account, name_key, key_fold", "account name_key key_fold tag_key tag_value"),
	newBackupTable("login_profiles", "account, name_key",
		"account name_key password_hash created:number changed:number reset_required:number"),
	newBackupTable("password_history", "account, name_key, seq", "account name_key seq:number password_hash"),
	newBackupTable("password_last_used", "account, name_key", "account name_key used:number"),
	newBackupTable("access_keys", "account, name_key, key_id", "account name_key key_id status created:number secret:bytes"),
	newBackupTable("access_key_last_used", "account, name_key, key_id", "account name_key key_id used:number region service"),
	newBackupTable("mfa_devices", "account, serial", `account serial device_id name_key:text? seed:bytes created:number
		enabled:number last_step:number drift:number`),
	newBackupTable("mfa_device_tags", "account, serial, tag_key", "account serial tag_key tag_value"),
	newBackupTable("signing_certificates", "account, name_key, certificate_id",
		"account name_key certificate_id body status uploaded:number"),
	newBackupTable("ssh_public_keys", "account, name_key, key_id",
		"account name_key key_id body fingerprint digest status uploaded:number"),
	newBackupTable("service_specific_credentials", "account, name_key, credential_id",
		"account name_key credential_id service service_user secret:bytes status created:number expires:number"),
	newBackupTable("report_jobs", "account", "account token:number node running:number expires_ms:number"),
	newBackupTable("reports", "account, token",
		"account token:number generated:number published_ms:number size:number users:number sha256"),
	newBackupTable("report_chunks", "account, token, seq", "account token:number seq:number size:number data:bytes"),
}

func newBackupTable(name, order, columns string) backupTable {
	t := backupTable{Name: name, order: order}
	for field := range strings.FieldsSeq(columns) {
		column, kind, typed := strings.Cut(field, ":")
		if !typed {
			kind = string(textCell)
		}
		t.Columns = append(t.Columns, backupColumn{column, cellKind(kind)})
	}
	return t
}

// selectSQL reads the table in the order of its key. An optional column is
// two: whether it is there, and its text.
func (t backupTable) selectSQL() string {
	var columns []string
	for _, c := range t.Columns {
		if c.Kind == optionalCell {
			columns = append(columns, "CASE WHEN "+c.Name+" IS NULL THEN 0 ELSE 1 END", "COALESCE("+c.Name+", '')")
			continue
		}
		columns = append(columns, c.Name)
	}
	return "SELECT " + strings.Join(columns, ", ") + " FROM " + t.Name + " ORDER BY " + t.order
}

func (t backupTable) insertSQL() string {
	var names, places []string
	for i, c := range t.Columns {
		names = append(names, c.Name)
		places = append(places, "$"+strconv.Itoa(i+1))
	}
	return "INSERT INTO " + t.Name + " (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")"
}
