package enrich

import (
	"slices"
	"time"

	"rollcall/internal/audit"
)

// Saved holds facts about an account in the form that is saved next to its
// report.
type Saved struct {
	Account string            `json:"account"`
	ReadAt  time.Time         `json:"read_at"` // by this machine's clock
	Kinds   []Kind            `json:"kinds"`
	Facts   *audit.Enrichment `json:"facts"`
}

// Has says whether all of these kinds were read.
func (s *Saved) Has(kinds []Kind) bool {
	return s.Facts != nil && !slices.ContainsFunc(kinds, func(k Kind) bool { return !slices.Contains(s.Kinds, k) })
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
