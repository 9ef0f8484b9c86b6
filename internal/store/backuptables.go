package store

import (
	"strconv"
	"strings"
	"sync"
)

// cellKind says how a backup holds a column's values.
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
	// order holds the primary key's columns.
	order string
}

type backupColumn struct {
	Name string   `json:"name"`
	Kind cellKind `json:"kind"`
}

// backupTables returns all tables, first those that others refer to. A test
// compares them with the schema. What is recorded for the next report is not
// among them: the first report after a restore is a whole one.
var backupTables = sync.OnceValue(func() []backupTable {
	return []backupTable{
		newBackupTable("data_keys", "id", "id master_key_id wrapped:bytes created:number purpose sealed:number"),
		newBackupTable("accounts", "account", "account aws_partition created:number user_count:number instance"),
		newBackupTable("account_aliases", "account", "account alias"),
		newBackupTable("account_limits", "account, name", "account name value:number"),
		newBackupTable("password_policies", "account",
			`account minimum_length:number require_symbols:number require_numbers:number
			require_upper:number require_lower:number allow_change:number max_age:number reuse:number hard_expiry:number`),
		newBackupTable("users", "account, name_key", "account name_key name path user_id created:number"),
		newBackupTable("user_tags", "account, name_key, key_fold", "account name_key key_fold tag_key tag_value"),
		newBackupTable("login_profiles", "account, name_key",
			"account name_key password_hash created:number changed:number reset_required:number"),
		newBackupTable("password_history", "account, name_key, seq", "account name_key seq:number password_hash"),
		newBackupTable("password_last_used", "account, name_key", "account name_key used:number"),
		newBackupTable("access_keys", "account, name_key, key_id",
			"account name_key key_id status created:number secret:bytes"),
		newBackupTable("access_key_last_used", "account, name_key, key_id",
			"account name_key key_id used:number region service"),
		newBackupTable("mfa_devices", "account, serial", `account serial device_id name_key:text? seed:bytes created:number
			enabled:number last_step:number drift:number`),
		newBackupTable("passkeys", "account, name_key, serial",
			"account name_key serial device_id credential_id credential:bytes sign_count:number enabled:number"),
		newBackupTable("signin_sessions", "account, session_id", `account session_id name_key:text? handle state:bytes
			address user_agent
			created:number used:number expires:number`),
		newBackupTable("signin_tickets", "account, ticket_id",
			"account ticket_id name_key:text? purpose state:bytes tries:number created:number expires:number"),
		newBackupTable("tool_sessions", "account, tool_id", `account tool_id name_key:text? code_id token_id session
			state:bytes
			proof_key generation:number address user_agent created:number renewed:number expires:number ended`),
		newBackupTable("tool_proofs", "account, proof_id", "account proof_id shown:number"),
		newBackupTable("signin_pauses", "place", "place tries:number last:number"),
		newBackupTable("signin_places", "account, name_key, place", "account name_key place last:number"),
		newBackupTable("password_guesses", "account, name_key", "account name_key since:number guesses:number"),
		newBackupTable("code_guesses", "account, serial", "account serial since:number guesses:number"),
		newBackupTable("mfa_used_codes", "account, serial, step", "account serial step:number"),
		newBackupTable("mfa_device_tags", "account, serial, tag_key", "account serial tag_key tag_value"),
		newBackupTable("signing_certificates", "account, name_key, certificate_id",
			"account name_key certificate_id body status uploaded:number"),
		newBackupTable("ssh_public_keys", "account, name_key, key_id",
			"account name_key key_id body fingerprint digest status uploaded:number"),
		newBackupTable("service_specific_credentials", "account, name_key, credential_id",
			"account name_key credential_id service service_user secret:bytes status created:number expires:number"),
		newBackupTable("user_groups", "account, name_key", "account name_key name path group_id created:number"),
		newBackupTable("group_members", "account, group_key, user_key", "account group_key user_key"),
		newBackupTable("policies", "account, name_key",
			"account name_key name path arn policy_id description created:number updated:number default_version:number "+
				"last_version:number"),
		newBackupTable("policy_versions", "account, name_key, version",
			"account name_key version:number document created:number"),
		newBackupTable("policy_tags", "account, name_key, tag_key", "account name_key tag_key tag_value"),
		newBackupTable("roles", "account, name_key",
			"account name_key name path role_id description trust_policy trusted_ids max_session:number service "+
				"created:number"),
		newBackupTable("role_tags", "account, name_key, key_fold", "account name_key key_fold tag_key tag_value"),
		newBackupTable("user_policies", "account, name_key, policy_name", "account name_key policy_name document"),
		newBackupTable("group_policies", "account, name_key, policy_name", "account name_key policy_name document"),
		newBackupTable("role_policies", "account, name_key, policy_name", "account name_key policy_name document"),
		newBackupTable("user_attachments", "account, name_key, policy_arn", "account name_key policy_arn"),
		newBackupTable("group_attachments", "account, name_key, policy_arn", "account name_key policy_arn"),
		newBackupTable("role_attachments", "account, name_key, policy_arn", "account name_key policy_arn"),
		newBackupTable("user_boundaries", "account, name_key", "account name_key policy_arn"),
		newBackupTable("role_boundaries", "account, name_key", "account name_key policy_arn"),
		newBackupTable("control_policies", "account, name", "account name document"),
		newBackupTable("account_settings", "account, name", "account name value"),
		newBackupTable("instance_profiles", "account, name_key", "account name_key name path profile_id created:number"),
		newBackupTable("instance_profile_roles", "account, profile_key, role_key", "account profile_key role_key"),
		newBackupTable("instance_profile_tags", "account, name_key, tag_key", "account name_key tag_key tag_value"),
		newBackupTable("oidc_providers", "account, url", "account url thumbprints created:number"),
		newBackupTable("oidc_client_ids", "account, url, client_id", "account url client_id seq:number"),
		newBackupTable("oidc_provider_tags", "account, url, tag_key", "account url tag_key tag_value"),
		newBackupTable("saml_providers", "account, name",
			"account name provider_id metadata encryption valid_until:number created:number"),
		newBackupTable("saml_private_keys", "account, name, key_id",
			"account name key_id private_key:bytes created:number"),
		newBackupTable("saml_provider_tags", "account, name, tag_key", "account name tag_key tag_value"),
		newBackupTable("token_issuers", "account", "account issuer_id enabled:number created:number"),
		newBackupTable("token_keys", "account, algorithm, serial",
			"account algorithm serial:number public_key:bytes private_key:bytes signs:number ends:number"),
		newBackupTable("server_certificates", "account, name_key",
			"account name_key name path certificate_id body chain private_key:bytes uploaded:number expires:number"),
		newBackupTable("server_certificate_tags", "account, name_key, tag_key", "account name_key tag_key tag_value"),
		newBackupTable("service_last_used", "account, principal_id, service, action",
			"account principal_id service action used:number region"),
		newBackupTable("access_jobs", "account, job_id", "account job_id arn created:number result:bytes"),
		newBackupTable("deletion_tasks", "account, task_id", "account task_id created:number status"),
		newBackupTable("report_jobs", "account", "account token:number node running:number expires_ms:number"),
		newBackupTable("reports", "account, token",
			"account token:number generated:number published_ms:number size:number users:number sha256 "+
				"base:number patches:number"),
		newBackupTable("report_bases", "account, token", "account token:number"),
		newBackupTable("report_chunks", "account, token, seq", "account token:number seq:number size:number data:bytes"),
		newBackupTable("report_pieces", "account, token, seq", "account token:number seq:number pieces:bytes"),
		newBackupTable("report_patches", "account, base, name_key, since",
			"account base:number name_key since:number data"),
	}
})

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

// selectSQL reads the table in the order of its key. An optional column yields
// two values: whether it is present, and its text.
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
