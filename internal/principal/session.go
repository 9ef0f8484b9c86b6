package principal

import (
	"time"

	"rollcall/internal/store"
)

// Session holds the content of temporary credentials. It is sealed into the
// session token, so that verifying one reads no table.
type Session struct {
	// Role is the role that was assumed, nil for sessions of users, federated
	// users and root.
	Role *AssumedRoleOf `json:"r,omitempty"`
	// Federated says that it is a session of GetFederationToken.
	Federated bool `json:"f,omitempty"`
	// Name is the role session's or the federated user's, "" for others.
	Name string `json:"n,omitempty"`

	Issued  time.Time `json:"i"`
	Expires time.Time `json:"e"`
	// MFA is the time at which the session's creator proved an MFA device, zero if
	// it did not.
	MFA time.Time `json:"m,omitzero"`

	SourceIdentity string      `json:"s,omitempty"`
	Tags           []store.Tag `json:"t,omitempty"`
	// Transitive are the folded keys of the tags that the next role inherits.
	Transitive []string `json:"tt,omitempty"`

	// Policy and PolicyARNs are the session policies. They can only restrict.
	Policy     string   `json:"p,omitempty"`
	PolicyARNs []string `json:"pa,omitempty"`

	// Provider is the OIDC or SAML provider of the token that began the
	// session, "" for others. Keys are the condition keys from its claims, in
	// lower case.
	Provider string              `json:"w,omitempty"`
	Keys     map[string][]string `json:"k,omitempty"`
	// Chained says that another role's session assumed the role.
	Chained bool `json:"h,omitempty"`
	// SignedIn says that the session began with a password. It may do everything
	// that its user may.
	SignedIn bool `json:"c,omitempty"`
	// Tool names the developer tool's session that this session comes from and ends
	// with: "account/id". The account is that of the person who signed in.
	Tool string `json:"l,omitempty"`
	// TaskPolicy is the ARN of the task policy of an AssumeRoot session.
	TaskPolicy string `json:"rt,omitempty"`
}

// AssumedRoleOf is the role of a session.
type AssumedRoleOf struct {
	NameKey string `json:"k"`
	Name    string `json:"n"`
	Path    string `json:"p"`
	ID      string `json:"i"`
}
