package store

// UserReferences counts what prevents the deletion of a user.
type UserReferences struct {
	AccessKeys                 int
	LoginProfiles              int
	MFADevices                 int // passkeys too
	SigningCertificates        int
	SSHPublicKeys              int
	ServiceSpecificCredentials int
	Groups                     int
	Attachments                int // of managed policies
	InlinePolicies             int
}

// UserReferences counts what prevents the deletion of a user; "" is root.
func (tx *Tx) UserReferences(account, nameKey string) (r UserReferences, err error) {
	err = tx.one([]any{&r.AccessKeys, &r.LoginProfiles, &r.MFADevices,
		&r.SigningCertificates, &r.SSHPublicKeys, &r.ServiceSpecificCredentials,
		&r.Groups, &r.Attachments, &r.InlinePolicies}, `SELECT
		(SELECT COUNT(*) FROM access_keys WHERE account = $1 AND name_key = $2),
		(SELECT COUNT(*) FROM login_profiles WHERE account = $1 AND name_key = $2),
		(SELECT COUNT(*) FROM mfa_devices WHERE account = $1 AND name_key = $2)
			+ (SELECT COUNT(*) FROM passkeys WHERE account = $1 AND name_key = $2),
		(SELECT COUNT(*) FROM signing_certificates WHERE account = $1 AND name_key = $2),
		(SELECT COUNT(*) FROM ssh_public_keys WHERE account = $1 AND name_key = $2),
		(SELECT COUNT(*) FROM service_specific_credentials WHERE account = $1 AND name_key = $2),
		(SELECT COUNT(*) FROM group_members WHERE account = $1 AND user_key = $2),
		(SELECT COUNT(*) FROM user_attachments WHERE account = $1 AND name_key = $2),
		(SELECT COUNT(*) FROM user_policies WHERE account = $1 AND name_key = $2)`, account, nameKey)
	return r, err
}

// CountMFADevices counts an account's devices, and those of them that are
// assigned to a user or to root, as all passkeys are.
func (tx *Tx) CountMFADevices(account string) (all, assigned int, err error) {
	var passkeys int
	err = tx.one([]any{&all, &assigned, &passkeys}, `SELECT COUNT(*), COUNT(name_key),
		(SELECT COUNT(*) FROM passkeys WHERE account = $1) FROM mfa_devices WHERE account = $1`, account)
	return all + passkeys, assigned + passkeys, err
}
