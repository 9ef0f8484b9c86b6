package audit

// EventKind is a kind of event between two reports of an account: the events of
// C20.
type EventKind string

// The kinds. Users are identified by name and creation time, keys and
// certificates by their creation time, never by their place in the row.
const (
	UserAdded              EventKind = "user-added"
	UserGone               EventKind = "user-gone"
	UserReplaced           EventKind = "user-replaced"
	UserRenamed            EventKind = "user-renamed"
	UserPathChanged        EventKind = "user-path-changed"
	KeyAdded               EventKind = "key-added"
	RootKeyAdded           EventKind = "root-key-added"
	KeyReactivated         EventKind = "key-reactivated"
	KeyDeactivated         EventKind = "key-deactivated"
	KeyRemoved             EventKind = "key-removed"
	KeyRotated             EventKind = "key-rotated"
	KeyFirstUsed           EventKind = "key-first-used"
	KeyUsedAfterLong       EventKind = "key-used-after-long"
	PasswordAdded          EventKind = "password-added"
	PasswordAddedMachine   EventKind = "password-added-to-machine"
	PasswordChanged        EventKind = "password-changed"
	PasswordRemoved        EventKind = "password-removed"
	PasswordFirstUsed      EventKind = "password-first-used"
	PasswordUsedAfterLong  EventKind = "password-used-after-long"
	PasswordUsed           EventKind = "password-used"
	MFALost                EventKind = "mfa-lost"
	MFARemoved             EventKind = "mfa-removed"
	MFAGained              EventKind = "mfa-gained"
	RootUseSeen            EventKind = "root-used"
	LastUsedRegion         EventKind = "last-used-region-changed"
	LastUsedService        EventKind = "last-used-service-changed"
	CertificateAdded       EventKind = "certificate-added"
	CertificateRemoved     EventKind = "certificate-removed"
	CertificateReactivated EventKind = "certificate-reactivated"
	CertificateDeactivated EventKind = "certificate-deactivated"
)

// Event describes a kind of event.
type Event struct {
	Kind     EventKind
	Severity Severity
	Title    string
	// Rule says what the two reports must contain.
	Rule string
}

// Events returns all kinds in the order for display. The caller owns the slice.
func Events() []Event {
	return []Event{
		{RootKeyAdded, High, "Root has a new access key",
			"root's row has an active key whose creation time no key of the earlier row has"},
		{RootUseSeen, High, "Root was used",
			"the latest of root's last-used dates is later than in the earlier report"},
		{MFALost, High, "A user or root lost MFA",
			"mfa_active was true and is false, and the user has a password or is root"},
		{PasswordAddedMachine, High, "A machine user got a password",
			"password_enabled was false, or the user was not there, and is true; and the user is still of the class " +
				"machine, or was and had a key"},
		{KeyReactivated, High, "An inactive access key is active again",
			"the key of that creation time was inactive and is active"},
		{KeyAdded, Medium, "A user has a new access key",
			"the row has a key, other than an active one of root, whose creation time no key of the earlier row has"},
		{UserReplaced, Medium, "A user was created again under an old name",
			"the name is in both reports with different creation times"},
		{KeyUsedAfterLong, Medium, "A key was used after a long time",
			"the key is in both rows, was used since, and at the earlier report it had not been used for " +
				"{unused_days} or more"},
		{PasswordUsedAfterLong, Medium, "A password was used after a long time",
			"the password was used since, and at the earlier report it had not been used for {unused_days} or more"},
		{LastUsedRegion, Medium, "A key was last used in another region",
			"the key is in both rows, was used before and since, and its last used region is another one"},
		{CertificateAdded, Medium, "There is a new signing certificate",
			"the row has a certificate whose upload time none of the earlier row has"},
		{CertificateReactivated, Medium, "An inactive signing certificate is active again",
			"the certificate of that upload time was inactive and is active"},
		{LastUsedService, Low, "A key was last used with another service",
			"the key is in both rows, was used before and since, and its last used service is another one"},
		{KeyFirstUsed, Low, "A key was used for the first time",
			"the key is in both rows, had never been used, and was. Medium if it was {unused_days} old or more at " +
				"the earlier report"},
		{KeyRotated, Low, "An access key was replaced",
			"a user's key is gone and another one has come, in the order of their creation"},
		{PasswordFirstUsed, Low, "A password was used for the first time",
			"there was a password that had never been used, and it was. Medium if it was {unused_days} old or " +
				"more at the earlier report"},
		{PasswordAdded, Low, "A user got a password",
			"password_enabled was false, or the user was not there, and is true; and the user is not a machine. High " +
				"for root"},
		{UserRenamed, Low, "A user has another name",
			"the names differ in letter case; or one name is gone and another has come, both with one creation time " +
				"that no other has"},
		{UserPathChanged, Low, "A user has another path", "the path in the user's ARN differs"},
		{UserAdded, Info, "There is a new user", "the name is in the later report only"},
		{UserGone, Info, "A user is gone", "the name is in the earlier report only"},
		{KeyDeactivated, Info, "An access key was deactivated",
			"the key of that creation time was active and is inactive"},
		{KeyRemoved, Info, "An access key is gone", "no key of the later row has that creation time"},
		{PasswordChanged, Info, "A password was changed", "password_last_changed is later than in the earlier row"},
		{PasswordUsed, Info, "A password was used", "password_last_used is later than in the earlier row"},
		{PasswordRemoved, Info, "A password is gone", "password_enabled was true and is false"},
		{MFARemoved, Info, "MFA is gone from a user without a password",
			"mfa_active was true and is false, and the user has no password"},
		{MFAGained, Info, "MFA was added", "mfa_active was false and is true"},
		{CertificateDeactivated, Info, "A signing certificate was deactivated",
			"the certificate of that upload time was active and is inactive"},
		{CertificateRemoved, Info, "A signing certificate is gone",
			"no certificate of the later row has that upload time"},
	}
}
