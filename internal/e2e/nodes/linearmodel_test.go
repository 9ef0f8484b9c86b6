package nodes

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// action is a kind of call in a history.
type action string

const (
	createUser   action = "CreateUser"
	deleteUser   action = "DeleteUser"
	getUser      action = "GetUser"
	createKey    action = "CreateAccessKey"
	deleteKey    action = "DeleteAccessKey"
	activate     action = "UpdateAccessKey Active"
	deactivate   action = "UpdateAccessKey Inactive"
	putPolicy    action = "PutUserPolicy"
	deletePolicy action = "DeleteUserPolicy"
	signWith     action = "GetCallerIdentity" // signed with the key
	actWith      action = "GetUser by the user"
)

// request is the input of a call.
type request struct {
	action action
	user   string
	key    string // the id of a key, or ""
}

// answer is the outcome of a call. It is unknown if the connection broke, and if
// the service itself failed.
type answer struct {
	code    string // "" for success
	key     string // of a key that was created
	unknown bool
}

// known are the codes by which the service says that it changed nothing.
var known = map[string]bool{
	"": true, "EntityAlreadyExists": true, "NoSuchEntity": true, "DeleteConflict": true, "LimitExceeded": true,
	"InvalidClientTokenId": true, "AccessDenied": true,
}

// userState is all that a history knows of a user.
type userState struct {
	exists  bool
	allowed bool // has the policy
	keys    [2]keyState
}

type keyState struct {
	id     string
	active bool
}

func (s *userState) key(id string) *keyState {
	for i := range s.keys {
		if id != "" && s.keys[i].id == id {
			return &s.keys[i]
		}
	}
	return nil
}

// after returns the state after a request and the code of its answer. created is
// the id of a key that was created.
func (s userState) after(r request, created string) (next userState, code string) {
	if r.action == signWith || r.action == actWith {
		return s, s.signed(r)
	}
	if r.action == createUser {
		if s.exists {
			return s, "EntityAlreadyExists"
		}
		s.exists = true
		return s, ""
	}
	if !s.exists {
		return s, "NoSuchEntity"
	}
	switch r.action {
	case deleteUser:
		if s.allowed || s.keys != [2]keyState{} {
			return s, "DeleteConflict"
		}
		s.exists = false
	case putPolicy:
		s.allowed = true
	case deletePolicy:
		if !s.allowed {
			return s, "NoSuchEntity"
		}
		s.allowed = false
	case createKey:
		switch {
		case s.keys[0].id == "":
			s.keys[0] = keyState{created, true}
		case s.keys[1].id == "":
			s.keys[1] = keyState{created, true}
		default:
			return s, "LimitExceeded"
		}
	case activate, deactivate, deleteKey:
		k := s.key(r.key)
		if k == nil {
			return s, "NoSuchEntity"
		}
		if k.active = r.action == activate; r.action == deleteKey {
			*k = keyState{}
		}
	}
	return s, ""
}

// signed returns the code of the answer to a request that is signed with a key.
func (s userState) signed(r request) string {
	k := s.key(r.key)
	switch {
	case k == nil || !k.active:
		return "InvalidClientTokenId"
	case r.action == actWith && !s.allowed:
		return "AccessDenied"
	}
	return ""
}

// model is the service as a history of one user sees it. Every call takes effect
// at one moment between its beginning and its answer. One whose outcome is not
// known takes effect at any later moment, or never.
var model = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{userState{}} },
	Step: func(state, input, output any) []any {
		s, r, a := state.(userState), input.(request), output.(answer)
		created := a.key
		if created == "" {
			created = "lost" // nobody learnt the id
		}
		next, code := s.after(r, created)
		switch {
		case a.unknown && code == "":
			return []any{s, next}
		case a.unknown:
			return []any{s}
		case code == a.code:
			return []any{next}
		}
		return nil
	},
	Equal: func(a, b any) bool { return a == b },
	Partition: func(history []porcupine.Operation) (all [][]porcupine.Operation) {
		at := map[string]int{}
		for _, o := range history {
			name := o.Input.(request).user
			if _, ok := at[name]; !ok {
				at[name] = len(all)
				all = append(all, nil)
			}
			all[at[name]] = append(all[at[name]], o)
		}
		return all
	},
	DescribeOperation: func(input, output any) string {
		r, a := input.(request), output.(answer)
		if a.unknown {
			return fmt.Sprintf("%s %s → ?", r.action, r.key)
		}
		return fmt.Sprintf("%s %s → %s%s", r.action, r.key, a.code, a.key)
	},
}).ToModel()
