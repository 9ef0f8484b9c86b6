package audit

// EventKind is what can happen to a credential between two reports of an
// account: the events of C20.
type EventKind string

// The kinds. Users are told apart by name and creation time, keys and
// certificates by theirs, never by their place in the row.
const (
	UserAdded              EventKind = "user-added"
	UserGone               EventKind = "user-gone"
	UserReplaced           EventKind = "user-replaced"
	KeyAdded               EventKind = "key-added"
	RootKeyAdded           EventKind = "root-key-added"
	KeyReactivated         EventKind = "key-reactivated"
	KeyDeactivated         EventKind = "key-deactivated"
	KeyRemoved             EventKind = "key-removed"
	PasswordAdded          EventKind = "password-added"
	PasswordAddedMachine   EventKind = "password-added-to-machine"
	PasswordChanged        EventKind = "password-changed"
	PasswordRemoved        EventKind = "password-removed"
	MFALost                EventKind = "mfa-lost"
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
	// Rule says what must be so in the two reports.
	Rule string
}

// Events returns all kinds, in the order in which to show them. The slice is
// the caller's.
func Events() []Event {
	return []Event{
		{RootKeyAdded, High, "Root has a new access key", "root's row has an active key whose creation time no key of the earlier row has"},
		{RootUseSeen, High, "Root was used", "the latest of root's last-used dates is later than in the earlier report"},
		{MFALost, High, "MFA was taken away", "mfa_active was true and is false, and the user has a password or is root"},
		{PasswordAddedMachine, High, "A machine user got a password", "password_enabled was false and is true, and the earlier row was of the class machine"},
		{KeyReactivated, High, "An inactive access key is active again", "the key of that creation time was inactive and is active"},
		{KeyAdded, Medium, "A user has a new access key", "a user's row has a key whose creation time no key of the earlier row has"},
		{UserReplaced, Medium, "A user was made anew under an old name", "the name is in both reports with different creation times"},
		{LastUsedRegion, Medium, "A key was last used in another region", "the key is in both rows, was used since, and its last used region differs"},
		{CertificateAdded, Medium, "There is a new signing certificate", "the row has a certificate whose upload time none of the earlier row has"},
		{CertificateReactivated, Medium, "An inactive signing certificate is active again", "the certificate of that upload time was inactive and is active"},
		{LastUsedService, Low, "A key was last used with another service", "the key is in both rows, was used since, and its last used service differs"},
		{PasswordAdded, Low, "A user got a password", "password_enabled was false and is true, or the user was not there, and the user is no machine"},
		{UserAdded, Info, "There is a new user", "the name is in the later report only"},
		{UserGone, Info, "A user is gone", "the name is in the earlier report only"},
		{KeyDeactivated, Info, "An access key was made inactive", "the key of that creation time was active and is inactive"},
		{KeyRemoved, Info, "An access key is gone", "no key of the later row has that creation time"},
		{PasswordChanged, Info, "A password was changed", "password_last_changed is later than in the earlier row"},
		{PasswordRemoved, Info, "A password is gone", "password_enabled was true and is false"},
		{MFAGained, Info, "MFA was added", "mfa_active was false and is true"},
		{CertificateDeactivated, Info, "A signing certificate was made inactive", "the certificate of that upload time was active and is inactive"},
		{CertificateRemoved, Info, "A signing certificate is gone", "no certificate of the later row has that upload time"},
	}
}
