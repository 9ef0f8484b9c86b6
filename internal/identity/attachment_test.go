package identity_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func attachedNames(policies []types.AttachedPolicy) []string {
	names := []string{}
	for _, p := range policies {
		names = append(names, *p.PolicyName+" "+*p.PolicyArn)
	}
	return names
}

// policy creates a managed policy and returns its ARN.
func (w *world) policy(t testing.TB, path, name string) string {
	t.Helper()
	return *must(t, w.root, w.CreatePolicy,
		&iam.CreatePolicyInput{Path: &path, PolicyName: &name, PolicyDocument: ptr(allowAll)}).Policy.Arn
}

func TestAttachments(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		entities := w.entities(t)
		base := w.policy(t, "/", "base")
		own := w.policy(t, "/deep/er/", "administratoraccess")
		for _, p := range entities {
			t.Run(p.kind, func(t *testing.T) {
				none, err := p.attached("worker", "/")
				if err != nil || len(none) != 0 {
					t.Errorf("%q %v", none, err)
				}
				for _, arn := range []string{base, administrator, own, base} { // the last one is attached already
					done(t, p.attach("WORKER", arn))
				}
				all, err := p.attached("worker", "/")
				if want := []string{"administratoraccess " + own, "AdministratorAccess " + administrator,
					"base " + base}; err != nil || !slices.Equal(all, want) {
					t.Errorf("%q %v, want %q", all, err, want)
				}
				deep, err := p.attached("worker", "/deep/")
				if want := []string{"administratoraccess " + own}; err != nil || !slices.Equal(deep, want) {
					t.Errorf("%q %v, want %q", deep, err, want)
				}
				none, err = p.attached("worker", "/administratoraccess/")
				if err != nil || len(none) != 0 {
					t.Errorf("%q %v", none, err)
				}
				for _, arn := range []string{own, administrator, base} {
					done(t, p.detach("worker", arn))
					wantRefusal(t, p.detach("worker", arn), 404, "NoSuchEntity", "Policy "+arn+" was not found.")
				}
			})
		}
	})
}

func TestAttachmentsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.newAccount(t, "222222222222")
		for _, p := range w.entities(t) {
			t.Run(p.kind, func(t *testing.T) {
				for _, arn := range []string{
					"arn:aws:iam::123456789012:policy/nonexistent", "arn:aws:iam::aws:policy/Nonexistent",
					"arn:aws:iam::222222222222:policy/theirs",
					"arn:aws-cn:iam::aws:policy/AdministratorAccess", "arn:aws:iam::aws:policy/administratoraccess",
				} {
					wantRefusal(t, p.attach("worker", arn), 404, "NoSuchEntity",
						"Policy "+arn+" does not exist or is not attachable.")
					wantRefusal(t, p.detach("worker", arn), 404, "NoSuchEntity", "Policy "+arn+" was not found.")
				}
				const noARN, noPolicy = "longpolicynamebutnoarn", "arn:aws:iam::123456789012:user/worker"
				wantRefusal(t, p.attach("worker", noARN), 400, "ValidationError",
					"ARN longpolicynamebutnoarn is not valid.")
				wantRefusal(t, p.detach("worker", noARN), 400, "ValidationError",
					"ARN longpolicynamebutnoarn is not valid.")
				wantRefusal(t, p.attach("worker", noPolicy), 400, "InvalidInput", "ARN "+noPolicy+" is not valid.")
				wantRefusal(t, p.attach("nobody", administrator), 404, "NoSuchEntity", p.notFound)
				wantRefusal(t, p.detach("nobody", administrator), 404, "NoSuchEntity", p.notFound)
				_, err := p.attached("nobody", "/")
				wantRefusal(t, err, 404, "NoSuchEntity", p.notFound)
			})
		}
	})
}

func TestAttachmentQuotas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if err := w.SetLimits(t.Context(), account,
			map[string]int{"PoliciesPerUser": 1, "PoliciesPerGroup": 1, "PoliciesPerRole": 1}); err != nil {
			t.Fatal(err)
		}
		one, two := w.policy(t, "/", "one"), w.policy(t, "/", "two")
		for _, p := range w.entities(t) {
			t.Run(p.kind, func(t *testing.T) {
				done(t, p.attach("worker", one))
				done(t, p.attach("worker", one))
				wantRefusal(t, p.attach("worker", two), 409, "LimitExceeded",
					fmt.Sprintf("Cannot exceed quota for %s: 1", p.attachedQuota))
				done(t, p.detach("worker", one))
				done(t, p.attach("worker", two))
			})
		}
	})
}
