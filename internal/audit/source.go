package audit

import (
	"fmt"
	"time"
)

// Source describes the audited report and its origin. Zero values are unknown.
type Source struct {
	// Account is the account's number. If it is "" it comes from the first row
	// with an ARN.
	Account string `json:"account,omitempty"`
	// Name is the account's alias or name, for display.
	Name string `json:"name,omitempty"`
	// Partition is aws, aws-cn, aws-us-gov, …. "" has the same meaning as for
	// Account.
	Partition string `json:"partition,omitempty"`
	// Generated is the time when the report was generated: the GeneratedTime of
	// the service.
	Generated time.Time `json:"generated_at,omitzero"`
	// Fetched is the time when the report was fetched.
	Fetched time.Time `json:"fetched_at,omitzero"`
	// Origin is cached, generated or stale as in package fleet, or file.
	Origin string `json:"source,omitempty"`
	// Path is the path of the report's file in findings.
	Path string `json:"path,omitempty"`
	// SHA256 is the digest of the file in hexadecimal, as the caller knows it.
	// The audit does not check it.
	SHA256 string `json:"sha256,omitempty"`
}

// Known is a truth value that may be unknown. The zero Known is Unknown.
type Known uint8

// The three values.
const (
	Unknown Known = iota
	No
	Yes
)

var knownNames = [...]string{"unknown", "no", "yes"}

// String returns unknown, no or yes.
func (k Known) String() string { return knownNames[min(k, Yes)] }

// MarshalText returns the text of String.
func (k Known) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a text of String.
func (k *Known) UnmarshalText(text []byte) error {
	for i, name := range knownNames {
		if name == string(text) {
			*k = Known(i)
			return nil
		}
	}
	return fmt.Errorf("read answer: %q is not one of %q", text, knownNames)
}

// Enrichment holds facts from the IAM API about an account beyond its report.
// The zero Enrichment and nil have no facts.
type Enrichment struct {
	// Users holds facts by user name. They are matched to rows by name and
	// creation time, because a new user with an old name is another user.
	Users map[string]UserFacts `json:"users,omitempty"`
	// RootVirtualMFA says whether a virtual MFA device belongs to root
	// (ListVirtualMFADevices). It decides C3.
	RootVirtualMFA Known `json:"root_virtual_mfa,omitempty"`
	// CentralRoot says whether the organization manages the root credentials of
	// its members (ListOrganizationsFeatures). Member says whether this account
	// is a member and not the management account. They decide C18.
	CentralRoot Known `json:"central_root,omitempty"`
	Member      Known `json:"member,omitempty"`
	// Missing says for each kind of facts that was asked for and is incomplete
	// why it is. Verdicts that need such facts are NO_DATA.
	Missing map[string]string `json:"missing,omitempty"`
}

// The kinds of facts that decide verdicts of controls, in Enrichment.Missing.
const (
	MFAFacts               = "mfa"
	ServiceCredentialFacts = "service-credentials"
)

// Contradiction says in words what the facts about an account contradict if an account
// is the one whose organization manages the root credentials of its members. It is ""
// if they contradict nothing.
func (e *Enrichment) Contradiction(account, management string) string {
	switch {
	case e.CentralRoot == No:
		return "its organization does not manage the root credentials of its members"
	case account == management && e.Member == Yes:
		return "it is a member of its organization and does not manage it"
	case account != management && e.Member == No:
		return "it is not a member of an organization that another account manages"
	}
	return ""
}

// lacks says whether a kind of facts was asked for and is incomplete.
func (e *Enrichment) lacks(kind string) bool { return e.Missing[kind] != "" }

// UserFacts holds facts from the IAM API about a user.
type UserFacts struct {
	Created time.Time `json:"created"`
	// UserID is the unique id. It begins with AIDA.
	UserID string `json:"user_id,omitempty"`
	// Keys are all access keys (ListAccessKeys). They are matched to the
	// report's by creation time. nil means that they are unknown.
	Keys []KeyFact `json:"keys,omitzero"`
	// MFA are the MFA devices (ListMFADevices). nil means that they are
	// unknown.
	MFA []MFAFact `json:"mfa,omitzero"`
	// ServiceCredentials are credentials that the report does not show. nil
	// means that they are unknown; an empty list means that there are none.
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
