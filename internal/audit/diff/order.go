package diff

import "rollcall/report"

// key is the position of an entry in the order of a report: root, the users by
// name without regard to case, and finally the whole report.
type key struct {
	rank rank
	name string
}

type rank uint8

const (
	rankRoot rank = iota
	rankUser
	rankReport
)

func keyOf(row *report.Row) key {
	switch {
	case row == nil:
		return key{rank: rankReport}
	case row.IsRoot():
		return key{rank: rankRoot}
	}
	return key{rankUser, row.User}
}

// orders is a set of orders of names without regard to case. They differ in
// whether '_' is before or after the letters. AWS does not document its order.
// A report is in order if it is in one of these.
type orders uint8

const (
	asLower orders = 1 << iota
	asUpper
	allOrders = asLower | asUpper
)

// one returns one order of the set.
func (o orders) one() orders {
	if o&asLower != 0 {
		return asLower
	}
	return o & asUpper
}

// compare compares two keys in one order. The same keys are equal in both.
func (o orders) compare(a, b key) int {
	if a.rank != b.rank {
		return int(a.rank) - int(b.rank)
	}
	return compareFolded(a.name, b.name, o == asUpper)
}

// after returns the orders of the set in which b follows a. same is true if
// they are equal.
func (o orders) after(a, b key) (left orders, same bool) {
	for _, order := range [...]orders{asLower, asUpper} {
		if o&order == 0 {
			continue
		}
		switch c := order.compare(a, b); {
		case c == 0:
			return o, true
		case c < 0:
			left |= order
		}
	}
	return left, false
}

// compareFolded compares byte by byte. IAM's names are ASCII.
func compareFolded(a, b string, upper bool) int {
	for i := range min(len(a), len(b)) {
		x, y := a[i], b[i]
		if x == y {
			continue
		}
		if x, y = fold(x, upper), fold(y, upper); x != y {
			return int(x) - int(y)
		}
	}
	return len(a) - len(b)
}

func fold(c byte, upper bool) byte {
	switch {
	case upper && 'a' <= c && c <= 'z':
		return c - 'a' + 'A'
	case !upper && 'A' <= c && c <= 'Z':
		return c - 'A' + 'a'
	}
	return c
}
