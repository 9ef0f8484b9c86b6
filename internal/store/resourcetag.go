package store

// TagsOf is a kind of thing whose tags are distinguished by their keys as they
// are written.
type TagsOf uint8

// These are the kinds, with what names a thing of each.
const (
	OIDCProviderTags      TagsOf = iota // the provider's URL
	SAMLProviderTags                    // the provider's name
	ServerCertificateTags               // the certificate's folded name
	InstanceProfileTags                 // the profile's folded name
)

var tagTables = [...]struct{ table, key string }{
	OIDCProviderTags:      {"oidc_provider_tags", "url"},
	SAMLProviderTags:      {"saml_provider_tags", "name"},
	ServerCertificateTags: {"server_certificate_tags", "name_key"},
	InstanceProfileTags:   {"instance_profile_tags", "name_key"},
}

// ResourceTags reads up to limit tags of a thing in order of their keys. Fold
// is the key itself.
func (tx *Tx) ResourceTags(of TagsOf, account, key string, limit int) ([]Tag, error) {
	t := tagTables[of]
	return list(tx, tagFields, `SELECT tag_key, tag_key, tag_value FROM `+t.table+`
		WHERE account = $1 AND `+t.key+` = $2 ORDER BY tag_key LIMIT $3`, account, key, limit)
}

// SetResourceTag adds a tag or replaces the one with the same key.
// ErrConflict: there is no such thing.
func (tx *Tx) SetResourceTag(of TagsOf, account, key string, tag Tag) error {
	t := tagTables[of]
	_, err := tx.exec(`INSERT INTO `+t.table+` (account, `+t.key+`, tag_key, tag_value) VALUES ($1, $2, $3, $4)
		ON CONFLICT (account, `+t.key+`, tag_key) DO UPDATE SET tag_value = excluded.tag_value`, account, key, tag.Key, tag.Value)
	return err
}

// DeleteResourceTag deletes a tag, if it exists.
func (tx *Tx) DeleteResourceTag(of TagsOf, account, key, tagKey string) error {
	t := tagTables[of]
	_, err := tx.exec(`DELETE FROM `+t.table+` WHERE account = $1 AND `+t.key+` = $2 AND tag_key = $3`, account, key,
		tagKey)
	return err
}
