package audit

import "rollcall/report"

// target identifies the part of a row that a control judges: the row itself, or a
// credential.
type target struct {
	kind  CredentialKind
	slot  uint8
	at    int    // the index of the credential in sight.credentials
	table *table // nil if there is no use for one
	rest  testOf // what the table leaves of the condition where its verdict is restOpen
	// These are the verdicts if the condition is false, and if the expression is.
	exempt, fails, holds verdict
}

// aim sets what the control judges.
func (r *own) aim() {
	kind, slots := map[Scope]CredentialKind{ScopePassword: Password, ScopeAccessKey: AccessKey,
		ScopeCertificate: Certificate}[r.scope], 1
	r.none = verdict{status: NotApplicable, why: "The user has no password.", columns: columnPassword}
	switch kind {
	case AccessKey:
		slots, r.none.why, r.none.columns = 2, "The user has no access key.", columnsKeysActive
	case Certificate:
		slots, r.none.why, r.none.columns = 2, "The user has no signing certificate.", columnsCertsActive
	}
	r.targets = make([]target, slots)
	for slot := range r.targets {
		t := &r.targets[slot]
		*t = target{kind: kind, slot: uint8(slot)}
		if kind != NoCredential {
			t.at = firstPlace(kind) + slot
		}
		t.fails = verdict{status: Fail, columns: r.holds.columns[slot], own: r}.of(t)
		t.holds = verdict{status: Pass, columns: r.holds.columns[slot], why: "The expression is true."}.of(t)
		if r.when != nil {
			t.exempt = verdict{status: NotApplicable, columns: r.when.columns[slot],
				why: "The control does not apply: its condition is false."}.of(t)
		}
		if r.scope != ScopeAccount {
			r.tabulate(t)
		}
	}
}

// of returns the verdict as that on a target.
func (v verdict) of(t *target) verdict {
	v.kind, v.slot = t.kind, t.slot
	return v
}

// itself returns the cells that show whether the target is there.
func (t *target) itself() cells {
	if t.kind == NoCredential {
		return 0
	}
	return stateCell << t.at
}

// exists returns noTarget if the target is not there, a verdict if that is not known,
// and nil if it is to be judged.
func (t *target) exists(s *sight) *verdict {
	enabled := s.credentials[t.at].active
	switch {
	case t.kind == Password && !enabled.IsTrue() && !enabled.IsFalse():
		s.undecided = s.credentials[0].noData(columnPassword)
		return &s.undecided
	case t.kind == Password && enabled.IsFalse(), t.kind != NoCredential && !s.exists(t.at):
		return noTarget
	}
	return nil
}

// judging returns the function that judges a row.
func (r *own) judging() func(*sight) {
	t := &r.targets[0]
	switch {
	case len(r.targets) == 2:
		return func(s *sight) {
			first := r.judgeTarget(s, t)
			if !r.judgeTarget(s, &r.targets[1]) && !first {
				s.addThis(&r.none)
			}
		}
	case t.table != nil && t.table.complete(&r.none):
		return func(s *sight) { s.addThis(t.table.look(s)) }
	case t.kind == NoCredential && t.table == nil && r.when == nil && r.holds.direct != nil:
		return func(s *sight) { r.judgeHolds(s, t) }
	}
	return func(s *sight) {
		if !r.judgeTarget(s, t) {
			s.addThis(&r.none)
		}
	}
}

// judgeHolds is judgeTarget for a row that is judged by a single function.
func (r *own) judgeHolds(s *sight, t *target) {
	switch is, unknown := r.holds.direct(s.objects(nil)); {
	case unknown != nil:
		r.judgeTarget(s, t)
	case is:
		s.addThis(&t.holds)
	default:
		s.addThis(&t.fails)
	}
}

// judgeTarget judges a target, and reports whether it is there.
func (r *own) judgeTarget(s *sight, t *target) bool {
	var v *verdict
	if t.table != nil {
		if v = t.table.look(s); v == noTarget {
			return false
		}
	}
	if v == nil || v == mustHold || v == restOpen {
		o := s.objects(nil)
		if v = r.decideDirectly(s, o, t, v); v == nil {
			v = r.decide(s, o, t, (*expression).decide)
		}
	}
	s.addThis(v)
	return true
}

// decideDirectly is decide without CEL's interpreter, after a table. It returns nil if
// the interpreter is needed.
func (r *own) decideDirectly(s *sight, o *objects, t *target, tabled *verdict) *verdict {
	if r.holds.direct == nil || r.when != nil && r.when.direct == nil {
		return nil
	}
	o.aim(t)
	if tabled != mustHold && r.when != nil {
		when := r.when.direct
		if tabled == restOpen {
			when = t.rest
		}
		is, unknown := when(o)
		switch {
		case unknown == indirect:
			return nil
		case unknown != nil:
			return r.noVerdict(s, t, unknown, nil)
		case !is:
			return &t.exempt
		case t.doubt(s) != nil:
			return nil
		}
	}
	is, unknown := r.holds.direct(o)
	switch {
	case unknown == indirect:
		return nil
	case unknown != nil:
		return r.noVerdict(s, t, unknown, nil)
	case is:
		return &t.holds
	}
	return &t.fails
}

// doubt returns the column because of which a key or certificate may or may not exist.
func (t *target) doubt(s *sight) []report.Column {
	if t.kind == AccessKey || t.kind == Certificate {
		return s.credentials[t.at].doubt()
	}
	return nil
}

// aim makes the variable of the target's kind stand for it.
func (o *objects) aim(t *target) {
	switch t.kind {
	case AccessKey:
		o[keyObject].at = t.at
	case Certificate:
		o[certificateObject].at = t.at
	}
}

// judgeAll judges the account after its last row.
func (r *own) judgeAll(s *sight, stats *Stats) {
	s.addThis(r.decide(s, s.objects(stats), &r.targets[0], (*expression).decide))
}

// deciding decides an expression; see expression.decide.
type deciding func(*expression, *objects) (is bool, unknown *absent, err error)

// decide returns the verdict on a target that is there. It returns nil if the
// condition is indirect, and mustHold if only the expression is.
func (r *own) decide(s *sight, o *objects, t *target, by deciding) *verdict {
	o.aim(t)
	if r.when != nil {
		applies, unknown, err := by(r.when, o)
		switch {
		case unknown == indirect:
			return nil
		case unknown != nil || err != nil:
			return r.noVerdict(s, t, unknown, err)
		case !applies:
			return &t.exempt
		}
	}
	if doubt := t.doubt(s); doubt != nil {
		s.undecided = s.credentials[t.at].noData(doubt)
		return &s.undecided
	}
	holds, unknown, err := by(r.holds, o)
	switch {
	case unknown == indirect:
		return mustHold
	case unknown != nil || err != nil:
		return r.noVerdict(s, t, unknown, err)
	case holds:
		return &t.holds
	}
	return &t.fails
}

// noVerdict returns the verdict of an expression that could not be evaluated. It is
// never PASS.
func (r *own) noVerdict(s *sight, t *target, unknown *absent, err error) *verdict {
	switch {
	case unknown == nil:
		s.undecided = r.failed(t, err)
	case len(unknown.columns) == 0:
		s.undecided = verdict{status: NoData, why: "The expression needs a value that is not known."}
	default:
		s.undecided = verdict{status: NoData, columns: unknown.columns}
	}
	s.undecided = s.undecided.of(t)
	return &s.undecided
}

// failed returns the verdict of an expression that CEL could not evaluate.
func (r *own) failed(t *target, err error) verdict {
	const why = "The expression cannot be decided: {text}."
	text := TextValue(shorten(err.Error()))
	return verdict{status: NoData, why: why, columns: r.holds.columns[t.slot],
		said: func() Reason { return Reason{why, []Value{text}} }}
}
