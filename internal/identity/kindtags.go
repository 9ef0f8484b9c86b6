package identity

import (
	"strings"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// serialKey returns the key of a device: its serial number, which is its ARN.
func serialKey(_ *store.Tx, _ principal.Caller, serial string) (string, error) { return serial, nil }

// foldedKey returns the key of a thing whose table uses the folded name.
func foldedKey(_ *store.Tx, _ principal.Caller, name string) (string, error) { return fold(name), nil }

// keyAfter returns the key of a thing whose table uses the part of the ARN
// after the kind. It returns "" if the ARN names nothing of that kind in the
// account.
func keyAfter(kind string) func(*store.Tx, principal.Caller, string) (string, error) {
	return func(_ *store.Tx, c principal.Caller, arn string) (string, error) {
		name, _ := strings.CutPrefix(arn, api.IAMARN(c, kind, "/"))
		if name == arn {
			return "", nil
		}
		return name, nil
	}
}

// policyKey returns the key of the account's own policy with an ARN. It returns
// "" if there is none.
func policyKey(tx *store.Tx, c principal.Caller, arn string) (string, error) {
	p, err := tx.Policy(c.Account(), arn)
	return p.NameKey, found(err)
}

// checkTaggedPolicy returns an error unless arn is the ARN of a policy whose
// tags may be read or, if change is true, set. That the error for AWS's
// policies is the one of SetDefaultPolicyVersion is a guess.
func checkTaggedPolicy(c principal.Caller, arn string, change bool) error {
	if change {
		return ownPolicyARN(c, arn, "update policies")
	}
	return checkPolicyARN(arn)
}

func findTaggedPolicy(tx *store.Tx, c principal.Caller, arn string, change bool) (account, key string, err error) {
	var p store.Policy
	if change {
		p, err = tx.Policy(c.Account(), arn)
	} else {
		p, err = findPolicy(tx, c, arn) // AWS's policies have no tags
	}
	return p.Account, p.NameKey, policyFound(err, arn)
}

func findTaggedUser(tx *store.Tx, c principal.Caller, name string, _ bool) (account, key string, err error) {
	u, err := user(tx, c.Account(), name)
	return u.Account, u.NameKey, err
}

func findTaggedRole(tx *store.Tx, c principal.Caller, name string, _ bool) (account, key string, err error) {
	r, err := role(tx, c.Account(), name)
	return r.Account, r.NameKey, err
}

func findTaggedDevice(tx *store.Tx, c principal.Caller, serial string, _ bool) (account, key string, err error) {
	d, err := device(tx, c.Account(), serial)
	return d.Account, d.Serial, err
}

func findTaggedProfile(tx *store.Tx, c principal.Caller, name string, _ bool) (account, key string, err error) {
	p, err := instanceProfile(tx, c.Account(), name)
	return p.Account, p.NameKey, err
}

func findTaggedCertificate(tx *store.Tx, c principal.Caller, name string, _ bool) (account, key string, err error) {
	cert, err := serverCertificate(tx, c.Account(), name)
	return cert.Account, cert.NameKey, err
}

func findTaggedOIDCProvider(tx *store.Tx, c principal.Caller, arn string, _ bool) (account, key string, err error) {
	p, err := oidcProvider(tx, c, arn)
	return p.Account, p.URL, err
}

func findTaggedSAMLProvider(tx *store.Tx, c principal.Caller, arn string, _ bool) (account, key string, err error) {
	p, err := samlProvider(tx, c, arn)
	return p.Account, p.Name, err
}
