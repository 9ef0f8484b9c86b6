package diff

import (
	"rollcall/internal/audit"
	"rollcall/report"
)

// credential is a key or a certificate of a row.
type credential struct {
	audit.Credential
	exists bool
	active report.Bool
	key    *report.Key // nil for a certificate
}

func keysOf(row *report.Row) (c [2]credential) {
	for i := range row.Keys {
		k := &row.Keys[i]
		c[i] = credential{
			Credential: audit.Credential{Kind: audit.AccessKey, Slot: i + 1, Created: k.LastRotated},
			exists:     k.Exists(), active: k.Active, key: k,
		}
	}
	return tied(c)
}

func certificatesOf(row *report.Row) (c [2]credential) {
	for i := range row.Certificates {
		k := &row.Certificates[i]
		c[i] = credential{
			Credential: audit.Credential{Kind: audit.Certificate, Slot: i + 1, Created: k.LastRotated},
			exists:     k.Exists(), active: k.Active,
		}
	}
	return tied(c)
}

func tied(c [2]credential) [2]credential {
	if c[0].Created.IsPresent() && c[0].Created == c[1].Created {
		c[0].Tied, c[1].Tied = true, true
	}
	return c
}

// known reports whether the credential can be distinguished from others.
func (c *credential) known() bool { return c.exists && c.Created.IsPresent() }

// pair is one credential in two reports. Either is nil if that report does not
// have it. Guessed means that the other report had two of the same second, so
// it may be the other one.
type pair struct {
	old, new *credential
	guessed  bool
}

// match finds the credentials of a user that are the same in two reports, by
// creation time. Two of the same second in both reports are matched by their
// places, which are in the order of ids, as observed on AWS. If one of two is
// left, it is matched to the one that changes less. Credentials without a
// creation time are skipped.
func match(old, new *[2]credential) []pair {
	var pairs []pair
	var taken [2]bool
	for j := range new {
		n := &new[j]
		if !n.known() {
			continue
		}
		p := pair{new: n}
		if i := partner(old, n, new[1-j].Tied, taken); i >= 0 {
			p.old, taken[i] = &old[i], true
			p.guessed = old[i].Tied != n.Tied
		}
		pairs = append(pairs, p)
	}
	// There is one old key and two new ones of its second. Choose the one that
	// fits better.
	if len(pairs) == 2 && pairs[0].new.Tied && pairs[0].old != nil && pairs[1].old == nil && pairs[0].guessed {
		pairs[1].guessed = true
		if fits(pairs[0].old, pairs[1].new) > fits(pairs[0].old, pairs[0].new) {
			pairs[0].old, pairs[1].old = nil, pairs[0].old
		}
	}
	for i := range old {
		if o := &old[i]; o.known() && !taken[i] {
			pairs = append(pairs, pair{old: o, guessed: o.Tied && taken[1-i]})
		}
	}
	return pairs
}

// partner returns the index of the old credential that n matches, -1 for none.
func partner(old *[2]credential, n *credential, bothNew bool, taken [2]bool) int {
	best := -1
	for i := range old {
		o := &old[i]
		if !o.known() || o.Created != n.Created || taken[i] {
			continue
		}
		switch {
		case bothNew && o.Tied && o.Slot == n.Slot:
			return i
		case best < 0, !bothNew && fits(o, n) > fits(&old[best], n):
			best = i
		}
	}
	return best
}

// fits returns how similar two credentials of the same second are.
func fits(o, n *credential) (points int) {
	if o.active == n.active {
		points++
	}
	if o.key == nil {
		return points
	}
	before, used := o.key.LastUsed.Unix()
	after, still := n.key.LastUsed.Unix()
	switch {
	case used && (!still || after < before):
		points -= 4 // a last use never moves back
	case o.key.LastUsed == n.key.LastUsed:
		points += 2
	}
	return points
}
