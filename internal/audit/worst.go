package audit

import (
	"cmp"
	"slices"
	"time"
)

// weight returns the order of findings: by severity, then FAIL before NO_DATA
// before WARN. Other statuses have no weight.
func weight(severity Severity, status Status) int {
	switch status {
	case Fail:
		return int(severity)*4 + 3
	case NoData:
		return int(severity)*4 + 2
	case Warn:
		return int(severity)*4 + 1
	default:
		return -1
	}
}

func worseFirst(f, g Finding) int {
	return cmp.Or(
		cmp.Compare(weight(g.Severity, g.Status), weight(f.Severity, f.Status)),
		cmp.Compare(g.Age, f.Age),
	)
}

// isWorst reports whether v belongs to the worst findings so far. Of equal
// findings, the first stays.
func (u *run) isWorst(severity Severity, v *verdict) bool {
	w := weight(severity, v.status)
	top := u.auditor.options.Top
	switch {
	case w < 0 || top <= 0:
		return false
	case len(u.out.Worst) < top:
		return true
	}
	last := &u.out.Worst[len(u.out.Worst)-1]
	lastWeight := weight(last.Severity, last.Status)
	if w != lastWeight {
		return w > lastWeight
	}
	var age time.Duration
	if v.since.IsPresent() {
		age = v.age(u.sight.asOf)
	}
	return age > last.Age
}

// keepWorst inserts f into the worst findings, which stay in order.
func (u *run) keepWorst(f Finding) {
	at, _ := slices.BinarySearchFunc(u.out.Worst, f, func(g, f Finding) int {
		if c := worseFirst(g, f); c != 0 {
			return c
		}
		return -1 // after its equals
	})
	if len(u.out.Worst) == u.auditor.options.Top {
		u.out.Worst = u.out.Worst[:len(u.out.Worst)-1]
	}
	u.out.Worst = slices.Insert(u.out.Worst, at, f)
}
