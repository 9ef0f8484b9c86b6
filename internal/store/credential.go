package store

// CredentialKind is a kind of credential that belongs to users and is either
// Active or Inactive.
type CredentialKind uint8

// The kinds.
const (
	AccessKeyCredential CredentialKind = iota
	SigningCertificateCredential
	SSHPublicKeyCredential
	ServiceSpecificCredential
)

// credentialTables are the tables of the kinds, and the columns with their ids.
var credentialTables = [...]struct{ table, id string }{
	AccessKeyCredential:          {"access_keys", "key_id"},
	SigningCertificateCredential: {"signing_certificates", "certificate_id"},
	SSHPublicKeyCredential:       {"ssh_public_keys", "key_id"},
	ServiceSpecificCredential:    {"service_specific_credentials", "credential_id"},
}

// SetCredentialStatus makes a credential of a user Active or Inactive.
func (tx *Tx) SetCredentialStatus(kind CredentialKind, account, nameKey, id, status string) error {
	t := credentialTables[kind]
	return tx.change(`UPDATE `+t.table+` SET status = $1 WHERE account = $2 AND name_key = $3 AND `+t.id+` = $4`,
		status, account, nameKey, id)
}

// DeleteCredential deletes a credential of a user and the record of its use.
func (tx *Tx) DeleteCredential(kind CredentialKind, account, nameKey, id string) error {
	t := credentialTables[kind]
	return tx.change(`DELETE FROM `+t.table+` WHERE account = $1 AND name_key = $2 AND `+t.id+` = $3`, account, nameKey,
		id)
}
