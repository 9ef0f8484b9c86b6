package enrich

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/audit"
	"rollcall/internal/history"
)

// Saved holds facts about an account in the form that is saved next to its
// report.
type Saved struct {
	Account string    `json:"account"`
	ReadAt  time.Time `json:"read_at"` // when the reading began, by this machine's clock
	// Kinds are those that were read completely. Facts.Missing names those that
	// were asked for too.
	Kinds []Kind            `json:"kinds"`
	Facts *audit.Enrichment `json:"facts"`
}

// Has says whether all of these kinds were read.
func (s *Saved) Has(kinds []Kind) bool {
	return s.Facts != nil && !slices.ContainsFunc(kinds, func(k Kind) bool { return !slices.Contains(s.Kinds, k) })
}

// NewSaved returns facts of the given kinds in the form that is saved.
func NewSaved(account string, readAt time.Time, kinds []Kind, facts *audit.Enrichment) Saved {
	s := Saved{Account: account, ReadAt: readAt}
	s.take(kinds, facts)
	return s
}

func (s *Saved) take(kinds []Kind, facts *audit.Enrichment) {
	s.Facts, s.Kinds = facts, []Kind{}
	for _, k := range kinds {
		if facts.Missing[string(k)] == "" {
			s.Kinds = append(s.Kinds, k)
		}
	}
}

// Into reads facts into the file beside a report of a folder, and continues from
// the facts in it. open connects to the account; it is not called if there is
// nothing to read. complete adds facts that do not come from the account's IAM; it
// may be nil. missing is that of Missing, and the error means that the folder is not
// writable.
func (r Reading) Into(ctx context.Context, folder *history.Folder, s history.Snapshot,
	open func(context.Context) (*iam.Client, error), complete func(*audit.Enrichment)) (missing string, err error) {
	saved := Saved{}
	if s.ReadFacts(&saved) != nil || saved.Account != s.Account || saved.Facts == nil {
		saved = Saved{Account: s.Account, ReadAt: time.Now().UTC().Truncate(time.Second), Facts: &audit.Enrichment{}}
	}
	r.Before = saved.Facts
	save := func(e *audit.Enrichment) error {
		saved.take(r.Kinds, e)
		if complete != nil {
			complete(e)
		}
		return folder.SaveFacts(s, saved)
	}
	r.Save = save
	facts := r.before()
	if len(r.Kinds) > 0 {
		client, err := open(ctx)
		if err != nil {
			Lose(facts, r.Kinds, r.why(ctx, err))
		} else if facts, err = r.Read(ctx, client); err != nil {
			return "", err
		}
	}
	return Missing(facts), save(facts)
}

// Permissions returns the IAM actions that the kinds need, without duplicates.
func Permissions(kinds []Kind) []string {
	var all []string
	for _, k := range kinds {
		for _, action := range k.Permissions() {
			if !slices.Contains(all, action) {
				all = append(all, action)
			}
		}
	}
	return all
}
