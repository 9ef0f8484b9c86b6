package principal

import (
	"encoding/json"
	"fmt"

	"rollcall/internal/store"
)

// SignIn holds the content of the session of somebody who signed in:
// store.SignInSession keeps it as its State.
type SignIn struct {
	Self Temporary `json:"s"`
	// Role is the role that the person switched to, nil where that is none.
	Role *Temporary `json:"r,omitempty"`
	// RoleName and RoleColor say how the person wants to see the role.
	RoleName  string `json:"n,omitempty"`
	RoleColor string `json:"c,omitempty"`
}

// Temporary is somebody in a session, without its secret.
type Temporary struct {
	KeyID     string     `json:"k"`
	Partition string     `json:"a"`
	Instance  string     `json:"o,omitempty"` // of the account
	User      store.User `json:"u"`           // of a role only the account is set
	Session   Session    `json:"z"`
}

// In is the caller as it is in a session, under the id of the key that its
// calls are recorded with.
func (c Caller) In(keyID string, session Session) Temporary {
	return Temporary{KeyID: keyID, Partition: c.Partition(), Instance: c.Instance(),
		User: c.signer.User, Session: session}
}

// ReadSignIn reads what an open session holds.
func ReadSignIn(proof store.SignedIn) (*SignIn, error) {
	s := &SignIn{}
	if err := json.Unmarshal(proof.Session().State, s); err != nil {
		return nil, fmt.Errorf("read session of a sign-in: %w", err)
	}
	return s, nil
}

// State returns the text that ReadSignIn reads.
func (s *SignIn) State() []byte {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err) // texts, numbers and dates
	}
	return text
}

// Opened returns the callers of an open session: the person who signed in, and the principal that the
// session acts, which is another one where it has switched to a role.
func Opened(proof store.SignedIn) (self, acting Caller, err error) {
	s, err := ReadSignIn(proof)
	if err != nil {
		return Caller{}, Caller{}, err
	}
	self = s.Self.caller()
	if s.Role == nil {
		return self, self, nil
	}
	return self, s.Role.caller(), nil
}

// caller is not for others: that somebody is in a session is proven by who
// shows its token.
func (t *Temporary) caller() Caller {
	owner := store.Owner{User: t.User, Partition: t.Partition, Instance: t.Instance}
	return Caller{
		signer: Signer{Owner: owner, KeyID: t.KeyID, Session: &t.Session}, region: "us-east-1", service: "signin",
	}
}
