package judged

import (
	"slices"
	"strings"

	"rollcall/internal/audit"
)

// Query says which rows to find, and in which order. The zero Query finds all
// rows, the worst first.
type Query struct {
	// Text is part of a name or a path, in any letter case. With Prefix it is the
	// beginning of the name.
	Text   string
	Prefix bool
	// Class is the class of the users; "" is any.
	Class string
	// MFA is yes or no: users with a password who have MFA or not. "console" means
	// both.
	MFA string
	// Keys is active or inactive.
	Keys string
	// Age and Idle are places in audit.Stats.KeyAges, counted from 1; 0 is any.
	Age, Idle int
	// Status is the status of a finding. "found" is any, "excused" means excused by
	// an exception, and "none" means rows without findings.
	Status   string
	Control  audit.ControlID
	Severity string
	// Sort is user, verdict or a column of times; "" is verdict. Turned reverses the
	// order.
	Sort   string
	Turned bool
}

// Result is the result of a query.
type Result struct {
	Rows []int32 // their places
	// Keys and Findings count the matching ones, if the query asks for keys or
	// findings.
	Keys, Findings int
	// Whole are the matching findings about the whole report. Findings includes
	// them.
	Whole []audit.Finding
}

// AsksKeys says whether the query asks for keys.
func (q *Query) AsksKeys() bool { return q.Keys != "" || q.Age > 0 || q.Idle > 0 }

// AsksFindings says whether the query asks for findings.
func (q *Query) AsksFindings() bool {
	return q.Status != "" && q.Status != "none" || q.Control != "" || q.Severity != ""
}

// Search finds the rows that match a query.
func (r *Report) Search(q Query) Result {
	q.Text = strings.ToLower(q.Text)
	paths := make([]bool, len(r.paths))
	for i, p := range r.paths {
		paths[i] = !q.Prefix && q.Text != "" && strings.Contains(strings.ToLower(p), q.Text)
	}
	var out Result
	for i := range r.rows {
		one := &r.rows[i]
		if !q.user(one, paths) {
			continue
		}
		keys := q.keys(one)
		if q.AsksKeys() && keys == 0 {
			continue
		}
		found := r.of(i)
		if q.Status == "none" && len(found) > 0 {
			continue
		}
		n := 0
		if q.AsksFindings() {
			for _, v := range found {
				if r.asked(&q, v) {
					n++
				}
			}
			if n == 0 {
				continue
			}
		}
		out.Rows = append(out.Rows, int32(i))
		out.Keys, out.Findings = out.Keys+keys, out.Findings+n
	}
	if q.AsksFindings() && q.Text == "" && q.Class == "" && q.MFA == "" && !q.AsksKeys() {
		r.whole(&q, &out)
	}
	r.sort(&q, out.Rows)
	return out
}

func (r *Report) whole(q *Query, out *Result) {
	for i := range r.Whole {
		f := &r.Whole[i]
		if r.asked(q, verdict{r.controls[f.Control.ID], f.Status, f.Severity, f.Suppressed}) {
			out.Whole = append(out.Whole, *f)
			out.Findings++
		}
	}
}

// of returns the findings of a row.
func (r *Report) of(i int) []verdict {
	end := uint32(len(r.findings))
	if i+1 < len(r.rows) {
		end = r.rows[i+1].first
	}
	return r.findings[r.rows[i].first:end]
}

func (q *Query) user(one *row, paths []bool) bool {
	switch {
	case q.Class != "" && one.class.String() != q.Class:
		return false
	case q.MFA != "" && (one.facts&console == 0 || q.MFA != "console" && (q.MFA == "yes") != (one.facts&mfa != 0)):
		return false
	case q.Text == "":
		return true
	case q.Prefix:
		return strings.HasPrefix(strings.ToLower(one.name), q.Text)
	}
	return paths[one.path] || strings.Contains(strings.ToLower(one.name), q.Text)
}

// keys counts the matching keys of a row.
func (q *Query) keys(one *row) (n int) {
	for i, at := range one.keys {
		active, off := one.facts&(key1Active<<i) != 0, one.facts&(key1Inactive<<i) != 0
		switch {
		case q.Keys == "inactive" && !off, q.Keys == "active" && !active:
		case (q.Age > 0 || q.Idle > 0) && !at.counts:
		case q.Age > 0 && int(at.age) != q.Age-1, q.Idle > 0 && int(at.idle) != q.Idle-1:
		default:
			n++
		}
	}
	return n
}

// asked says whether a finding matches.
func (r *Report) asked(q *Query, v verdict) bool {
	switch q.Status {
	case "", "found":
	case "excused":
		if !v.excused {
			return false
		}
	default:
		if v.excused || v.status.String() != q.Status {
			return false
		}
	}
	if q.Control != "" {
		if at, ok := r.controls[q.Control]; !ok || at != v.control {
			return false
		}
	}
	return q.Severity == "" || v.severity.String() == q.Severity
}

// sort sorts rows. Equal rows keep the order of the report.
func (r *Report) sort(q *Query, rows []int32) {
	by := func(i int32) uint32 { return uint32(^r.rows[i].worst) }
	switch at := slices.Index(timeColumns, q.Sort); {
	case at >= 0:
		// The oldest come first, and rows without such a time last.
		by = func(i int32) uint32 { return r.rows[i].times[at] - 1 }
		if q.Turned {
			by = func(i int32) uint32 { return ^r.rows[i].times[at] }
		}
	case q.Sort == "user":
		if q.Turned {
			slices.Reverse(rows)
		}
		return
	case q.Turned:
		by = func(i int32) uint32 { return uint32(r.rows[i].worst) }
	}
	// Sorting numbers is faster than sorting rows. A number contains the key, and
	// the place for equal keys.
	keys := make([]uint64, len(rows))
	for i, at := range rows {
		keys[i] = uint64(by(at))<<32 | uint64(at)
	}
	slices.Sort(keys)
	for i, k := range keys {
		rows[i] = int32(uint32(k))
	}
}
