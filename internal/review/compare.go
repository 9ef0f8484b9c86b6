package review

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Comparison is the differences between a review and an earlier one.
type Comparison struct {
	Old, New string
	// Added are the items that only the new one has, and Gone those that only the old
	// one has.
	Added []Item `json:"new"`
	Gone  []Gone `json:"gone"`
	// Kept are the items that both reviews have kept. Items that were kept most
	// often in a row come first.
	Kept []Kept `json:"kept"`
	// Turned are the items on which the two reviews decided differently.
	Turned []Turn `json:"decided_differently"`
}

// Kept is an item that was kept more than once in a row.
type Kept struct {
	Item
	Times    int      `json:"times"`
	Decision Decision `json:"decision"`
}

// Turn is an item with two decisions.
type Turn struct {
	Item
	Was Decision `json:"was"`
	Is  Decision `json:"is"`
}

// Compare compares a review with an earlier one.
func Compare(before, after *Review) (*Comparison, error) {
	if before.Manifest.StartedAt.After(after.Manifest.StartedAt) {
		return nil, fmt.Errorf("%s started after %s: name the earlier review first", before.Manifest.Name,
			after.Manifest.Name)
	}
	was, err := before.Decisions()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", before.Manifest.Name, err)
	}
	is, err := after.Decisions()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", after.Manifest.Name, err)
	}
	c := &Comparison{Old: before.Manifest.Name, New: after.Manifest.Name, Added: []Item{}, Gone: []Gone{}, Kept: []Kept{},
		Turned: []Turn{}}
	c.gone(before, after, was)
	for n := range after.Items {
		i := &after.Items[n]
		old := before.item(i.Line)
		if old == nil {
			c.Added = append(c.Added, *i)
			continue
		}
		a, decidedBefore := was[i.Line]
		b, decidedNow := is[i.Line]
		if !decidedBefore || !decidedNow {
			continue
		}
		if a.Verb != b.Verb {
			c.Turned = append(c.Turned, Turn{*i, a, b})
		}
		if keeps(a.Verb) && keeps(b.Verb) {
			times := 2 + old.KeptInARow
			if p := after.Manifest.Previous; p != nil && p.Freeze == before.Freeze {
				times = i.KeptInARow + 1
			}
			c.Kept = append(c.Kept, Kept{*i, times, b})
		}
	}
	sortKept(c.Kept)
	return c, nil
}

func keeps(v Verb) bool { return v == Keep || v == Exception }

func (c *Comparison) gone(before, after *Review, was map[string]Decision) {
	reviewed := map[string]bool{}
	for _, a := range after.Manifest.Accounts {
		reviewed[a.Account] = a.State == Reviewed || a.State == Unlisted
	}
	for n := range before.Items {
		i := &before.Items[n]
		if after.item(i.Line) != nil {
			continue
		}
		g := Gone{Item: *i, Unknown: !reviewed[i.Account]}
		if d, ok := was[i.Line]; ok {
			g.Decision = &d
		}
		c.Gone = append(c.Gone, g)
	}
}

// sortKept sorts items. Those that were kept most often come first, and among
// them those that fail.
func sortKept(all []Kept) {
	slices.SortStableFunc(all, func(a, b Kept) int {
		return cmp.Or(b.Times-a.Times, cmp.Compare(failRank(&a.Item), failRank(&b.Item)))
	})
}

func failRank(i *Item) int {
	if i.Fails() {
		return 0
	}
	return 1
}

// Text returns the comparison as text, with at most this many entries of each
// list.
func (c *Comparison) Text(most int) string {
	var b strings.Builder
	section := func(title string, n int, line func(int) string) {
		fmt.Fprintf(&b, "%s: %d\n", title, n)
		for i := range min(n, most) {
			fmt.Fprintf(&b, "  %s\n", line(i))
		}
		if n > most {
			fmt.Fprintf(&b, "  and %d more\n", n-most)
		}
	}
	section("New since "+c.Old, len(c.Added), func(i int) string { return c.Added[i].Title() })
	section("Gone since "+c.Old, len(c.Gone), func(i int) string {
		g := &c.Gone[i]
		text := g.Title()
		if g.Decision != nil {
			text += ", decision " + string(g.Decision.Verb)
		}
		if g.Unknown {
			text += ", not known: the account has no report now"
		}
		return text
	})
	section("Kept in a row", len(c.Kept), func(i int) string {
		k := &c.Kept[i]
		text := fmt.Sprintf("%d times: %s", k.Times, k.Title())
		if k.Fails() {
			text += ", although the audit fails it: " + k.Decision.Reason
		}
		return text
	})
	section("Decided differently", len(c.Turned), func(i int) string {
		t := &c.Turned[i]
		return fmt.Sprintf("%s: %s, then %s", t.Title(), t.Was.Verb, t.Is.Verb)
	})
	return b.String()
}
