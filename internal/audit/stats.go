package audit

import "rollcall/report"

// count adds a row.
func (st *Stats) count(s *sight) {
	r := s.row
	st.Rows++
	if s.isRoot() {
		st.Root.Password, st.Root.MFA = r.PasswordEnabled, r.MFAActive
		st.Root.LastUsed, st.Root.Keys = latest(r.PasswordLastUsed, r.Keys[0].LastUsed, r.Keys[1].LastUsed), 0
		st.Root.UntoldKeys, st.Root.UntoldUse = 0, untoldUse(r)
	} else {
		st.Users++
		if r.PasswordEnabled.IsTrue() {
			st.ConsoleUsers++
			if r.MFAActive.IsTrue() {
				st.ConsoleUsersMFA++
			}
		}
		if unreadable(r.PasswordEnabled) || r.PasswordEnabled.IsTrue() && unreadable(r.MFAActive) {
			st.Untold.ConsoleUsers++
		}
	}
	switch s.class {
	case ClassHuman:
		st.HumanUsers++
	case ClassMachine:
		st.MachineUsers++
	case ClassBreakGlass:
		st.BreakGlassUsers++
	}
	for i := range r.Keys {
		st.countKey(s, &r.Keys[i])
	}
	for i := range r.Certificates {
		if r.Certificates[i].Active.IsTrue() {
			st.ActiveCertificates++
		}
	}
}

func (st *Stats) countKey(s *sight, key *report.Key) {
	if unreadable(key.Active) {
		st.Untold.Keys++
		if s.isRoot() {
			st.Root.UntoldKeys++
		}
	}
	if !key.Active.IsTrue() {
		if key.Active.IsFalse() && key.LastRotated.IsPresent() {
			st.InactiveKeys++
		}
		return
	}
	st.ActiveKeys++
	if s.isRoot() {
		st.Root.Keys++
	}
	if key.LastRotated.IsPresent() && (!st.OldestKey.IsPresent() || later(st.OldestKey, key.LastRotated)) {
		st.OldestKey = key.LastRotated
	}
	if age, idle, known := s.keyPlace(key); known {
		st.KeyAges[age][idle]++
	}
}

// KeyPlace returns the place in [Stats.KeyAges] that counts an active key at a
// time. ok is false for other keys, and for a key of unknown age.
func KeyPlace(key *report.Key, asOf report.Time) (age, idle int, ok bool) {
	if !key.Active.IsTrue() {
		return 0, 0, false
	}
	s := sight{asOf: asOf}
	return s.keyPlace(key)
}

func (s *sight) keyPlace(key *report.Key) (age, idle int, ok bool) {
	since, known := s.age(key.LastRotated)
	if !known {
		return 0, 0, false
	}
	idle = len(KeyIdleLimits) + 1
	if unused, used := s.age(key.LastUsed); used {
		idle = bucket(unused, KeyIdleLimits[:])
	}
	return bucket(since, KeyAgeLimits[:]), idle, true
}

// bucket returns the index of the first limit, in days, that age does not
// exceed.
func bucket(age int64, limits []int) int {
	for i, limit := range limits {
		if age <= daySeconds(limit) {
			return i
		}
	}
	return len(limits)
}

// untoldUse says whether a row does not show when a credential was last used that may
// exist.
func untoldUse(r *report.Row) bool {
	untold := func(t report.Time) bool {
		return t.Absence() == report.Malformed || t.Absence() == report.MissingColumn
	}
	if untold(r.PasswordLastUsed) && !r.PasswordEnabled.IsFalse() {
		return true
	}
	for _, k := range r.Keys {
		if untold(k.LastUsed) && (k.Exists() || !k.Known()) {
			return true
		}
	}
	return false
}

// latest returns the latest of the times, N/A if there is none.
func latest(times ...report.Time) report.Time {
	var last report.Time
	for _, t := range times {
		if t.IsPresent() && (!last.IsPresent() || later(t, last)) {
			last = t
		}
	}
	return last
}

// countUnused counts the findings of C7 and C8.
func (u *run) countUnused() {
	for i := range u.out.Counts.Controls {
		c := &u.out.Counts.Controls[i]
		if c.Control.ID == PasswordUnused || c.Control.ID == KeyUnused {
			u.out.Stats.UnusedCredentials += c.Statuses[Fail] + c.Suppressed
			u.out.Stats.Untold.Unused += c.Statuses[NoData]
		}
	}
}

// countUnusedOf counts unused credentials of a row if their control is not
// judged. So the figure does not depend on the judged controls.
func (u *run) countUnusedOf() {
	s := &u.sight
	for _, r := range u.auditor.uncounted {
		s.verdicts = s.verdicts[:0]
		if r.on == onUsers && s.isRoot() {
			continue
		}
		r.judge(s)
		s.counted = [NumStatuses]int{}
		for i := range s.verdicts {
			switch s.verdicts[i].status {
			case Fail:
				u.out.Stats.UnusedCredentials++
			case NoData:
				u.out.Stats.Untold.Unused++
			}
		}
	}
}
