package audit

import (
	"fmt"
	"time"
)

// Source says which report is audited, and how it was come by. The zero values
// mean that it is not known.
type Source struct {
	// Account is the account's number. Where it is "" the first row with an ARN
	// tells it.
	Account string `json:"account,omitempty"`
	// Name is the account's alias or name, to show to people.
	Name string `json:"name,omitempty"`
	// Partition is aws, aws-cn, aws-us-gov, …; "" as with Account.
	Partition string `json:"partition,omitempty"`
	// Generated says when the report was generated: the GeneratedTime of the
	// service.
	Generated time.Time `json:"generated_at,omitzero"`
	// Fetched says when the report was got.
	Fetched time.Time `json:"fetched_at,omitzero"`
	// Origin says how: cached, generated or stale as in package fleet, or file.
	Origin string `json:"source,omitempty"`
	// Path is the file the report is in, as findings shall name it.
	Path string `json:"path,omitempty"`
	// SHA256 is the digest of the file in hexadecimal, as the caller has it.
	// It is passed on, and not checked.
	SHA256 string `json:"sha256,omitempty"`
}

// Known is something that may not be known. The zero Known is Unknown.
type Known uint8

// The three answers.
const (
	Unknown Known = iota
	No
	Yes
)

var knownNames = [...]string{"unknown", "no", "yes"}

// String returns unknown, no or yes.
func (k Known) String() string { return knownNames[min(k, Yes)] }

// MarshalText returns the same as String.
func (k Known) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads what String returns.
func (k *Known) UnmarshalText(text []byte) error {
	for i, name := range knownNames {
		if name == string(text) {
			*k = Known(i)
			return nil
		}
	}
	return fmt.Errorf("read answer: %q is not one of %q", text, knownNames)
}

// Enrichment holds the facts of the IAM API about an account beyond its report.
// The zero Enrichment has none; nil is as good.
type Enrichment struct {
	// Users are by user name. They are matched to rows by name and creation
	// time: a user created again under an old name is another user.
	Users map[string]UserFacts `json:"users,omitempty"`
	// RootVirtualMFA says whether a virtual MFA device belongs to root
	// (ListVirtualMFADevices); it decides C3.
	RootVirtualMFA Known `json:"root_virtual_mfa,omitempty"`
	// CentralRoot says whether the organization manages the root credentials
	// of its members (ListOrganizationsFeatures); Member, whether this account
	// is a member, and not the management account. They decide C18.
	CentralRoot Known `json:"central_root,omitempty"`
	Member      Known `json:"member,omitempty"`
}

// UserFacts holds the facts of the IAM API about a user.
type UserFacts struct {
	Created time.Time `json:"created"`
	// UserID is the unique id, AIDA….
	UserID string `json:"user_id,omitempty"`
	// Keys are all access keys (ListAccessKeys); they are matched to the
	// report's by creation time. nil means that nobody asked.
	Keys []KeyFact `json:"keys,omitzero"`
	// MFA are the MFA devices (ListMFADevices); nil means that nobody asked.
	MFA []MFAFact `json:"mfa,omitzero"`
	// ServiceCredentials are the credentials the report does not show; nil
	// means that nobody asked, so that an empty list must be made as such.
	ServiceCredentials []ServiceCredentialFact `json:"service_credentials,omitzero"`
	Tags               map[string]string       `json:"tags,omitzero"`
}

// KeyFact is an access key.
type KeyFact struct {
	ID      string    `json:"id"`
	Created time.Time `json:"created"`
	Active  bool      `json:"active"`
}

// MFAFact is an MFA device.
type MFAFact struct {
	Serial string `json:"serial"`
	Kind   string `json:"kind"` // virtual, hardware, passkey or unknown
}

// ServiceCredentialFact is an SSH key or a service-specific credential.
type ServiceCredentialFact struct {
	ID      string    `json:"id"`
	Service string    `json:"service"` // such as codecommit.amazonaws.com, or ssh
	Created time.Time `json:"created,omitzero"`
	Active  bool      `json:"active"`
}
