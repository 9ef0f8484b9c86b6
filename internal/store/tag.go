package store

// Tag is a tag. Fold distinguishes it from the other tags of its thing. It is
// the key itself or, for users and roles, the key in lower case.
type Tag struct{ Fold, Key, Value string }

// TagsOf is the kind of thing that tags belong to.
type TagsOf uint8

// The kinds of things that have tags, and the key of one thing of each kind.
const (
	UserTags              TagsOf = iota // the user's folded name
	RoleTags                            // the role's folded name
	PolicyTags                          // the policy's folded name
	MFADeviceTags                       // the device's serial number
	OIDCProviderTags                    // the provider's URL
	SAMLProviderTags                    // the provider's name
	ServerCertificateTags               // the certificate's folded name
	InstanceProfileTags                 // the profile's folded name
)

// tagTables are the tables for the kinds. fold is the column of Tag.Fold. order
// is the order of lists: by key, by IAM ListUserTags, and for policies short
// keys first (recorded).
var tagTables = [...]struct{ table, key, fold, order string }{
	UserTags:              {"user_tags", "name_key", "key_fold", "tag_key"},
	RoleTags:              {"role_tags", "name_key", "key_fold", "tag_key"},
	PolicyTags:            {"policy_tags", "name_key", "tag_key", "length(tag_key), tag_key"},
	MFADeviceTags:         {"mfa_device_tags", "serial", "tag_key", "tag_key"},
	OIDCProviderTags:      {"oidc_provider_tags", "url", "tag_key", "tag_key"},
	SAMLProviderTags:      {"saml_provider_tags", "name", "tag_key", "tag_key"},
	ServerCertificateTags: {"server_certificate_tags", "name_key", "tag_key", "tag_key"},
	InstanceProfileTags:   {"instance_profile_tags", "name_key", "tag_key", "tag_key"},
}

func tagFields(t *Tag) []any { return []any{&t.Fold, &t.Key, &t.Value} }

// Tags reads up to limit tags of a thing in the order of their kind.
func (tx *Tx) Tags(of TagsOf, account, key string, limit int) ([]Tag, error) {
	t := tagTables[of]
	return list(tx, tagFields, `SELECT `+t.fold+`, tag_key, tag_value FROM `+t.table+`
		WHERE account = $1 AND `+t.key+` = $2 ORDER BY `+t.order+` LIMIT $3`, account, key, limit)
}

// SetTag adds a tag or replaces the one with the same Fold. ErrConflict: there
// is no such thing.
func (tx *Tx) SetTag(of TagsOf, account, key string, tag Tag) error {
	t := tagTables[of]
	if t.fold == "tag_key" {
		_, err := tx.exec(`INSERT INTO `+t.table+` (account, `+t.key+`, tag_key, tag_value)
			VALUES ($1, $2, $3, $4)
			ON CONFLICT (account, `+t.key+`, tag_key) DO UPDATE SET tag_value = excluded.tag_value`,
			account, key, tag.Key, tag.Value)
		return err
	}
	_, err := tx.exec(`INSERT INTO `+t.table+` (account, `+t.key+`, `+t.fold+`, tag_key, tag_value)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (account, `+t.key+`, `+t.fold+`) DO UPDATE
		SET tag_key = excluded.tag_key, tag_value = excluded.tag_value`,
		account, key, tag.Fold, tag.Key, tag.Value)
	return err
}

// DeleteTag deletes the tag with a Fold, if it exists.
func (tx *Tx) DeleteTag(of TagsOf, account, key, fold string) error {
	t := tagTables[of]
	_, err := tx.exec(`DELETE FROM `+t.table+` WHERE account = $1 AND `+t.key+` = $2 AND `+t.fold+` = $3`, account, key,
		fold)
	return err
}
