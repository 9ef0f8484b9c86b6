package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/store"
)

// UserFacts are facts about a user that its credential report does not contain.
type UserFacts struct {
	User  store.User
	Facts map[store.FactKind][]store.UserFact // of the kinds that were asked for
}

// factsPage is the number of users whose facts are read in one transaction.
const factsPage = 1000

// EachUserFacts calls visit with the facts of every IAM user of an account, for
// operators. A page of users is one snapshot.
func (s *Service) EachUserFacts(ctx context.Context, account string, kinds []store.FactKind,
	visit func(UserFacts) error) error {
	for after := ""; ; {
		page, err := s.userFacts(ctx, account, after, kinds)
		if err != nil {
			return err
		}
		for _, u := range page {
			if err := visit(u); err != nil {
				return err
			}
		}
		if len(page) < factsPage {
			return nil
		}
		after = page[len(page)-1].User.NameKey
	}
}

func (s *Service) userFacts(ctx context.Context, account, after string, kinds []store.FactKind) ([]UserFacts, error) {
	var page []UserFacts
	err := s.db.View(ctx, func(tx *store.Tx) error {
		users, err := tx.Users(account, after, "/", factsPage)
		if err != nil || len(users) == 0 {
			return err
		}
		page = make([]UserFacts, len(users))
		at := make(map[string]int, len(users))
		for i, u := range users {
			page[i], at[u.NameKey] = UserFacts{u, map[store.FactKind][]store.UserFact{}}, i
		}
		for _, k := range kinds {
			facts, err := tx.UserFacts(k, account, users[0].NameKey, users[len(users)-1].NameKey)
			if err != nil {
				return err
			}
			for _, f := range facts {
				of := page[at[f.NameKey]].Facts
				f.Status = string(credentialStatus(tx.Now, store.ServiceCredential{Status: f.Status, Expires: f.Expires}))
				of[k] = append(of[k], f)
			}
		}
		return nil
	})
	return page, err
}

// RootHasVirtualMFA says whether root has a virtual MFA device, for operators.
func (s *Service) RootHasVirtualMFA(ctx context.Context, account string) (yes bool, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		devices, err := tx.UserMFADevices(account, "")
		yes = len(devices) > 0
		return err
	})
	return yes, err
}

// Active says whether a key or a credential can be used.
func Active(f store.UserFact) bool { return f.Status == string(types.StatusTypeActive) }
