package identity

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/awsmodel"
	"rollcall/internal/policy"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// UpdateAssumeRolePolicy replaces a role's trust policy.
func (s *Service) UpdateAssumeRolePolicy(
	ctx context.Context, in *iam.UpdateAssumeRolePolicyInput,
) (*iam.UpdateAssumeRolePolicyOutput, error) {
	c := principal.Of(ctx)
	err := s.db.Update(ctx, func(tx *store.Tx) error {
		r, err := modifiableRole(tx, c.Account(), *in.RoleName)
		if err != nil {
			return err
		}
		trust, err := newTrust(tx, r.Account, *in.PolicyDocument)
		if err != nil {
			return err
		}
		return tx.SetTrust(r.Account, r.NameKey, trust)
	})
	return &iam.UpdateAssumeRolePolicyOutput{}, err
}

// newTrust checks the trust policy of a request. The users and roles that it
// names must exist. It stores their unique ids, so a later user with the name
// of a deleted one is not trusted, and a renamed user still is. IAM, AWS JSON
// policy elements: Principal. It stores the instances of accounts for the same
// reason, because their numbers may be used again here.
func newTrust(tx *store.Tx, account, text string) (store.Trust, error) {
	d, err := policy.Parse(text, policy.Trust)
	if err != nil {
		return store.Trust{}, err
	}
	if err := checkQuota(tx, account, trustPolicySize, policy.Size(text)); err != nil {
		return store.Trust{}, err
	}
	named := d.Principals("AWS")
	slices.Sort(named)
	var ids []string
	for _, value := range slices.Compact(named) {
		id, err := trustedID(tx, value)
		if err != nil {
			return store.Trust{}, err
		}
		if id != "" {
			ids = append(ids, id+" "+value)
		}
	}
	return store.Trust{TrustPolicy: text, TrustedIDs: strings.Join(ids, "\n")}, nil
}

// trustedID returns the unique id of the user, the role or the account that a principal
// of a trust policy names. It returns "" if the principal names something else. A
// missing user or role is an error, unless its account does not exist in this store.
// Such an account cannot be checked, and nobody of it can sign a request here, so its
// policies can be imported.
func trustedID(tx *store.Tx, value string) (string, error) {
	p, ok := parsePrincipalARN(value)
	if !ok {
		return "", nil
	}
	account, err := tx.Account(p.account)
	if errors.Is(err, store.ErrNotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if p.name == "" {
		return instanceID(account.Instance), nil
	}
	var id, path, name string
	if p.kind == "user" {
		u, failed := tx.User(p.account, fold(p.name))
		id, path, name, err = u.ID, u.Path, u.Name, failed
	} else {
		r, failed := tx.Role(p.account, fold(p.name))
		id, path, name, err = r.ID, r.Path, r.Name, failed
	}
	switch {
	case errors.Is(err, store.ErrNotFound):
	case err != nil:
		return "", err
	case name == p.name && (path == p.path || p.kind == "assumed-role"):
		return id, nil
	}
	return "", policy.InvalidPrincipal("AWS", value)
}

// instanceID returns the text that represents the instance of an account in a
// role's TrustedIDs. Accounts that are older than instances have an empty one.
func instanceID(instance string) string { return cmp.Or(instance, instancePrefix) }

// principalARN is a principal that names a user, a role, a role's session, or
// only an account: the account itself, its root user or a federated user.
type principalARN struct {
	account, kind, path, name string // the name of a session is the role's
}

func parsePrincipalARN(arn string) (p principalARN, ok bool) {
	if checkAccountID(arn) == nil {
		return principalARN{account: arn}, true
	}
	part := strings.SplitN(arn, ":", 6)
	if len(part) != 6 || part[0] != "arn" {
		return p, false
	}
	kind, rest, _ := strings.Cut(part[5], "/")
	p.account, p.kind = part[4], kind
	switch part[2] + " " + kind {
	case "iam user", "iam role":
		end := strings.LastIndexByte(rest, '/') + 1
		p.path, p.name = "/"+rest[:end], rest[end:]
	case "sts assumed-role":
		p.name, _, _ = strings.Cut(rest, "/")
	case "iam root", "sts federated-user":
		return p, true
	}
	return p, p.name != ""
}

// Trusting returns a caller as a role's trust policy sees it. The caller has
// the ARN that it had when the policy named it, and no ARN if another principal
// had that ARN. instance is the instance of the caller's account.
func Trusting(p policy.Principal, instance string, t store.Trust) policy.Principal {
	for id, arn := range trusted(t) {
		if strings.HasPrefix(id, instancePrefix) {
			if id != instanceID(instance) {
				p = notOfAccount(p, arn)
			}
			continue
		}
		switch {
		case id == p.ID && p.Type == policy.User:
			p.ARN = arn
		case id == p.ID:
		case arn == p.ARN:
			p.ARN = ""
		case arn == p.Role:
			p.Role = ""
		}
	}
	return p
}

// notOfAccount returns a caller for a trust policy that names, by a value, an
// earlier account with the number of the caller's account.
func notOfAccount(p policy.Principal, value string) policy.Principal {
	named, _ := parsePrincipalARN(value)
	switch {
	case named.account != p.Account:
	case named.kind != "federated-user":
		p.Account = ""
	case value == p.ARN:
		p.ARN = ""
	}
	return p
}

// trusted returns the unique ids and the ARNs that a trust policy names.
func trusted(t store.Trust) iter.Seq2[string, string] {
	return func(yield func(id, arn string) bool) {
		for line := range strings.Lines(t.TrustedIDs) {
			if id, arn, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " "); !yield(id, arn) {
				return
			}
		}
	}
}

// trustOut returns a trust policy in the form that AWS keeps: a single value
// has no array. That is recorded for service-linked roles, and so is the order
// of the members of others. A renamed principal has its present ARN: IAM user
// guide, renaming a user. A deleted principal has its unique id. known caches
// the answers of this transaction.
func trustOut(tx *store.Tx, t store.Trust, known map[string]string) (string, error) {
	by := map[string]string{}
	for id, arn := range trusted(t) {
		if strings.HasPrefix(id, instancePrefix) {
			continue // an account always has its number
		}
		current, asked := known[id+" "+arn]
		if !asked {
			var err error
			if current, err = trustedNow(tx, id, arn); err != nil {
				return "", err
			}
			known[id+" "+arn] = current
		}
		by[arn] = current
	}
	d, err := policy.Parse(t.TrustPolicy, policy.Trust)
	if err != nil {
		return t.TrustPolicy, nil // stored before a rule that refuses it now
	}
	return d.NamedAnew(by).String(), nil
}

// trustedNow returns the present form of a user or a role that a trust policy
// named by an ARN: its ARN, or its unique id if it was deleted.
func trustedNow(tx *store.Tx, id, arn string) (string, error) {
	p, _ := parsePrincipalARN(arn)
	if p.kind == "user" {
		u, err := tx.UserByID(p.account, id)
		if errors.Is(err, store.ErrNotFound) {
			return id, nil
		}
		return principal.UserARN(strings.Split(arn, ":")[1], p.account, u.Path, u.Name), err
	}
	current, err := trustedID(tx, arn)
	var refused *awsmodel.Error
	if err != nil && !errors.As(err, &refused) {
		return "", err
	}
	if current != id {
		return id, nil
	}
	return arn, nil
}
