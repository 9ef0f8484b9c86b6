package principal

import (
	"encoding/json"
	"fmt"

	"rollcall/internal/store"
)

// SignIn holds the content of the session of a person who signed in.
// store.SignInSession keeps it as its State.
type SignIn struct {
	Self Temporary `json:"s"`
	// Role is the role that the person switched to, nil for none.
	Role *Temporary `json:"r,omitempty"`
	// RoleName and RoleColor say how the person wants to see the role.
	RoleName  string `json:"n,omitempty"`
	RoleColor string `json:"c,omitempty"`
}

// Temporary is a principal in a session, without the secret.
type Temporary struct {
	KeyID     string     `json:"k"`
	Partition string     `json:"a"`
	Instance  string     `json:"o,omitempty"` // of the account
	User      store.User `json:"u"`           // of a role only the account is set
	Session   Session    `json:"z"`
}

// In returns the caller in a session. Its calls are recorded with the id of the
// key.
func (c Caller) In(keyID string, session Session) Temporary {
	return Temporary{KeyID: keyID, Partition: c.Partition(), Instance: c.Instance(),
		User: c.signer.User, Session: session}
}

// ReadSignIn reads the content of an open session.
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

// Opened returns the callers of an open session: the person who signed in, and the
// principal that the session acts as. They differ if the session has switched to a
// role.
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

// caller is not exported, because only the token of a session proves that
// somebody is in it.
func (t *Temporary) caller() Caller {
	owner := store.Owner{User: t.User, Partition: t.Partition, Instance: t.Instance}
	return Caller{
		signer: Signer{Owner: owner, KeyID: t.KeyID, Session: &t.Session}, region: "us-east-1", service: "signin",
	}
}
