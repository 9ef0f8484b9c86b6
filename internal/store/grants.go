package store

import (
	"context"
	"strconv"
	"strings"
)

// GrantKind is the way in which a policy applies to a principal.
type GrantKind string

// The ways.
const (
	InlineGrant   GrantKind = "inline"   // of the principal or one of its groups
	ManagedGrant  GrantKind = "managed"  // attached to the principal or one of its groups
	BoundaryGrant GrantKind = "boundary" // the principal's permissions boundary
	ControlGrant  GrantKind = "control"  // of the account
)

// Grant is one policy that applies to a principal.
type Grant struct {
	Kind     GrantKind
	Group    string // the folded name of the group that it comes from, "" for none
	Name     string // of an inline or control policy
	ARN      string // of a managed policy or a boundary
	Document string // "" for AWS's own policies, which are in no table
	// Version names the default version of one of the account's policies. It
	// replaces the Document; see VersionDocument.
	Version string
}

// A version never changes and its number is never used again, so a caller that
// has read it once need not read it with every call. Its name includes a date,
// in case the database is set back while the process runs.
const versionMark = "\x01"

// Grants holds all policies that apply to a principal, with the facts that
// policies may use.
type Grants struct {
	Policies []Grant
	Tags     []Tag
	// ID, Path and Name describe the principal that was found. NameKey and
	// Instance are its folded name and its account's instance.
	ID, Path, Name, NameKey, Instance string
}

func grantFields(g *Grant) []any {
	return []any{(*string)(&g.Kind), &g.Group, &g.Name, &g.ARN, &g.Document}
}

// These rows of the statements below are not policies: they are the principal
// itself and its tags. One statement reads everything, because every signed
// call may need it.
const (
	selfRow GrantKind = "self"
	tagRow  GrantKind = "tag"
)

// grants reads the result of a statement. ErrNotFound: there is no such
// principal.
func (tx *Tx) grants(sql, account, nameKey string) (g Grants, err error) {
	all, err := list(tx, grantFields, sql, account, nameKey)
	if err != nil {
		return g, err
	}
	return gathered(all, nameKey)
}

// gathered returns the grants of a principal from the rows of a statement.
func gathered(all []Grant, nameKey string) (g Grants, err error) {
	found := false
	for _, row := range all {
		switch row.Kind {
		case selfRow:
			g.ID, g.Path, g.Name, g.Instance, found = row.Group, row.Name, row.ARN, row.Document, true
			g.NameKey = nameKey
		case tagRow:
			g.Tags = append(g.Tags, Tag{row.Group, row.Name, row.ARN})
		default:
			if version, ok := strings.CutPrefix(row.Document, versionMark); ok {
				row.Document, row.Version = "", version
			}
			g.Policies = append(g.Policies, row)
		}
	}
	if !found {
		return g, ErrNotFound
	}
	return g, nil
}

// documentSQL reads the document of the policy in a row of a, and versionSQL
// the name of its version.
const (
	documentSQL = `COALESCE((SELECT v.document FROM policies p
	JOIN policy_versions v ON v.account = p.account AND v.name_key = p.name_key AND v.version = p.default_version
	WHERE p.account = a.account AND p.arn = a.policy_arn), '')`
	versionSQL = `COALESCE((SELECT '` + versionMark +
		`' || p.policy_id || '/' || CAST(p.default_version AS TEXT) || '/' || CAST(p.updated AS TEXT)
	FROM policies p
	WHERE p.account = a.account AND p.arn = a.policy_arn), '')`
)

// The statements, each with documents and with the names of versions.
var (
	userGrantsSQL, userVersionsSQL = withDocuments(`
	SELECT 'self', u.user_id, u.path, u.name, c.instance FROM users u
		JOIN accounts c ON c.account = u.account WHERE u.account = $1 AND u.name_key = $2
	UNION ALL SELECT 'tag', key_fold, tag_key, tag_value, '' FROM user_tags WHERE account = $1 AND name_key = $2
	UNION ALL SELECT 'inline', '', policy_name, '', document FROM user_policies WHERE account = $1 AND name_key = $2
	UNION ALL SELECT 'inline', m.group_key, g.policy_name, '', g.document FROM group_members m
		JOIN group_policies g ON g.account = m.account AND g.name_key = m.group_key WHERE m.account = $1 AND m.user_key = $2
	UNION ALL SELECT 'managed', '', '', a.policy_arn, $managed FROM user_attachments a WHERE a.account = $1 AND a.name_key = $2
	UNION ALL SELECT 'managed', m.group_key, '', a.policy_arn, $managed FROM group_members m
		JOIN group_attachments a ON a.account = m.account AND a.name_key = m.group_key WHERE m.account = $1 AND m.user_key = $2
	UNION ALL SELECT 'boundary', '', '', a.policy_arn, $managed FROM user_boundaries a WHERE a.account = $1 AND a.name_key = $2
	UNION ALL SELECT 'control', '', name, '', document FROM control_policies WHERE account = $1`)
	roleGrantsSQL, roleVersionsSQL = withDocuments(`
	SELECT 'self', r.role_id, r.path, r.name, c.instance FROM roles r
		JOIN accounts c ON c.account = r.account WHERE r.account = $1 AND r.name_key = $2
	UNION ALL SELECT 'tag', key_fold, tag_key, tag_value, '' FROM role_tags WHERE account = $1 AND name_key = $2
	UNION ALL SELECT 'inline', '', policy_name, '', document FROM role_policies WHERE account = $1 AND name_key = $2
	UNION ALL SELECT 'managed', '', '', a.policy_arn, $managed FROM role_attachments a WHERE a.account = $1 AND a.name_key = $2
	UNION ALL SELECT 'boundary', '', '', a.policy_arn, $managed FROM role_boundaries a WHERE a.account = $1 AND a.name_key = $2
	UNION ALL SELECT 'control', '', name, '', document FROM control_policies WHERE account = $1`)
	groupGrantsSQL, _ = withDocuments(`
	SELECT 'inline', name_key, policy_name, '', document FROM group_policies WHERE account = $1 AND name_key = $2
	UNION ALL SELECT 'managed', a.name_key, '', a.policy_arn, $managed FROM group_attachments a WHERE a.account = $1 AND a.name_key = $2`)
)

// rootGrantsSQL reads what applies to root, whom no other policy reaches and
// nobody can tag.
const rootGrantsSQL = `
	SELECT 'self', u.user_id, u.path, u.name, c.instance FROM users u
		JOIN accounts c ON c.account = u.account WHERE u.account = $1 AND u.name_key = $2
	UNION ALL ` + rootPoliciesSQL

const rootPoliciesSQL = `SELECT 'control', '', name, '', document FROM control_policies WHERE account = $1`

// grantsSQL returns the statement for a user, or root, from that for users.
func grantsSQL(nameKey, ofUsers string) string {
	if nameKey == "" {
		return rootGrantsSQL
	}
	return ofUsers
}

func withDocuments(sql string) (documents, versions string) {
	return strings.ReplaceAll(sql, "$managed", documentSQL), strings.ReplaceAll(sql, "$managed", versionSQL)
}

// UserGrants reads the policies that apply to a user, or returns ErrNotFound.
// "" is root, to whom only control policies apply.
func (tx *Tx) UserGrants(account, nameKey string) (Grants, error) {
	return tx.grants(grantsSQL(nameKey, userGrantsSQL), account, nameKey)
}

// RoleGrants reads the policies that apply to a role, or returns ErrNotFound.
func (tx *Tx) RoleGrants(account, nameKey string) (Grants, error) {
	return tx.grants(roleGrantsSQL, account, nameKey)
}

// GroupGrants reads the policies that a group gives to its members. It returns
// none if there is no such group.
func (tx *Tx) GroupGrants(account, nameKey string) ([]Grant, error) {
	return list(tx, grantFields, groupGrantsSQL, account, nameKey)
}

// grantsKey is the cache key of a principal's grants.
type grantsKey struct{ kind, account, nameKey string }

// UserGrants is Tx.UserGrants for a single call, with versions instead of
// documents. Callers must not change the result.
func (db *DB) UserGrants(ctx context.Context, account, nameKey string) (*Grants, error) {
	return remembered(ctx, db, grantsKey{"user", account, nameKey}, func(tx *Tx) (*Grants, error) {
		g, err := tx.grants(grantsSQL(nameKey, userVersionsSQL), account, nameKey)
		return &g, err
	})
}

// RoleGrants is Tx.RoleGrants for a single call, with versions instead of
// documents. Callers must not change the result.
func (db *DB) RoleGrants(ctx context.Context, account, nameKey string) (*Grants, error) {
	return remembered(ctx, db, grantsKey{"role", account, nameKey}, func(tx *Tx) (*Grants, error) {
		g, err := tx.grants(roleVersionsSQL, account, nameKey)
		return &g, err
	})
}

// DefaultDocument reads the default version of a policy of an account by its
// ARN, or ErrNotFound.
func (tx *Tx) DefaultDocument(account, arn string) (document string, err error) {
	err = tx.one([]any{&document}, `SELECT v.document FROM policies p
		JOIN policy_versions v ON v.account = p.account AND v.name_key = p.name_key AND v.version = p.default_version
		WHERE p.account = $1 AND p.arn = $2`, account, arn)
	return document, err
}

// VersionDocument reads the document of a Grant's Version. It returns
// ErrNotFound if the version has been deleted.
func (tx *Tx) VersionDocument(account, arn, version string) (document string, err error) {
	id, rest, _ := strings.Cut(version, "/")
	number, _, _ := strings.Cut(rest, "/")
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return "", ErrNotFound
	}
	err = tx.one([]any{&document}, `SELECT v.document FROM policies p
		JOIN policy_versions v ON v.account = p.account AND v.name_key = p.name_key
		WHERE p.account = $1 AND p.arn = $2 AND p.policy_id = $3 AND v.version = $4`, account, arn, id, n)
	return document, err
}
