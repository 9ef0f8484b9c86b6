package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/interpreter"

	"rollcall/internal/lazyregexp"
)

// Limits of custom controls.
const (
	maxOwnControls = 200
	// maxExpression limits the length of an expression in bytes.
	maxExpression = 4096
	// maxOwnCost limits the estimated cost of one expression, in CEL's units: a
	// comparison costs about one, a regular expression on a name some hundreds.
	maxOwnCost = 20_000
	// maxFactText is the length of texts in a report that estimates assume.
	maxFactText = 2048
)

// own is a rule of a configuration.
type own struct {
	rule
	line     int // of the configuration
	scope    Scope
	when     *expression
	holds    *expression
	message  []messagePart
	template string // template of the reason
	tests    []OwnTest
	targets  []target
	none     verdict // the verdict on a row without a target
}

// messagePart is a place in the braces of a message: an expression, or a text.
type messagePart struct {
	value *expression
	fixed string
}

// objects are the variables of one evaluation, and those of the macros around an
// expression. They implement an activation of CEL.
type objects [firstMacro + maxMacros]object

// The places of the variables in objects.
const (
	userObject = iota
	passwordObject
	keyObject
	certificateObject
	accountObject
	firstMacro
)

var placeOfVariable = map[string]int{
	"user": userObject, "password": passwordObject, "key": keyObject, "certificate": certificateObject,
	"account": accountObject,
}

// ResolveName implements interpreter.Activation.
func (o *objects) ResolveName(name string) (any, bool) {
	at, ok := placeOfVariable[name]
	if !ok {
		return nil, false
	}
	return &o[at], true
}

// Parent implements interpreter.Activation.
func (o *objects) Parent() interpreter.Activation { return nil }

// objects returns the variables for a row, or for the whole account.
func (s *sight) objects(stats *Stats) *objects {
	if s.own == nil {
		s.own = newObjects(s)
	}
	s.own[accountObject].stats = stats
	return s.own
}

func newObjects(s *sight) *objects {
	o := &objects{}
	for i := range o {
		o[i].sight = s
	}
	for name, at := range placeOfVariable {
		o[at].kind = objectTypes[name]
	}
	return o
}

// target is what a control judges in a row: the row itself, or a credential.
type target struct {
	kind  CredentialKind
	slot  uint8
	at    int    // the index of the credential in sight.credentials
	table *table // nil if there is no use for one
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
	switch table := t.table; {
	case len(r.targets) > 1:
	case table != nil && table.complete(&r.none):
		return func(s *sight) { s.addThis(table.look(s)) }
	case table == nil && r.when == nil && r.holds.direct != nil:
		return func(s *sight) { r.judgeWith(s, t, r.holds.direct) }
	}
	return r.judgeRow
}

// judgeWith judges a row by the function that decides its only expression.
func (r *own) judgeWith(s *sight, t *target, holds testOf) {
	switch is, unknown := holds(s.objects(nil)); {
	case unknown != nil:
		s.addThis(r.decide(s, s.objects(nil), t, (*expression).decide))
	case is:
		s.addThis(&t.holds)
	default:
		s.addThis(&t.fails)
	}
}

// judgeRow judges each target in a row.
func (r *own) judgeRow(s *sight) {
	found := false
	for i := range r.targets {
		t, v := &r.targets[i], (*verdict)(nil)
		if t.table != nil {
			v = t.table.look(s)
		}
		switch v {
		case noTarget:
			continue
		case mustHold:
			v = r.decideHolds(s, s.objects(nil), t, (*expression).decide)
		case nil:
			v = r.decide(s, s.objects(nil), t, (*expression).decide)
		}
		found = true
		s.addThis(v)
	}
	if !found {
		s.addThis(&r.none)
	}
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
	if t.kind == AccessKey || t.kind == Certificate {
		c := &s.credentials[t.at]
		if doubt := c.doubt(); doubt != nil {
			s.undecided = c.noData(doubt)
			return &s.undecided
		}
	}
	return r.decideHolds(s, o, t, by)
}

// decideHolds returns the verdict on a target to which the control applies.
func (r *own) decideHolds(s *sight, o *objects, t *target, by deciding) *verdict {
	o.aim(t)
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

// say returns the message for a failure in the current row with its values.
func (r *own) say(s *sight, v *verdict) Reason {
	o, reason := s.own, Reason{Template: r.template}
	if o == nil {
		o = s.objects(nil)
	}
	o.aim(&r.targets[v.slot]) // by now the objects may belong to another credential
	for i := range r.message {
		if e := r.message[i].value; e != nil {
			reason.Values = append(reason.Values, e.value(o))
		} else {
			reason.Values = append(reason.Values, TextValue(r.message[i].fixed))
		}
	}
	return reason
}

// ownID matches the ids of custom controls.
var ownID = lazyregexp.New(`^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$`)

// builtInID matches the ids of Rollcall's own controls.
var builtInID = lazyregexp.New(`^C[0-9]+[A-Z]?$`)

// isOwnID reports whether an id is valid for a custom control.
func isOwnID(id string) bool {
	return len(id) <= 32 && ownID.MatchString(id) && !builtInID.MatchString(id)
}

// checkOwn returns an error for controls with duplicate or reserved names.
func checkOwn(all []*own) error {
	if len(all) > maxOwnControls {
		return fmt.Errorf("there are %d controls, and the limit is %d", len(all), maxOwnControls)
	}
	seen := map[string]bool{}
	var errs []error
	for _, r := range all {
		id, called := strings.ToUpper(string(r.control.ID)), strings.ToUpper(r.control.Name)
		for _, name := range slices.Compact([]string{id, called}) {
			if _, builtIn := FindControl(name); builtIn || seen[name] {
				errs = append(errs, fmt.Errorf("line %d: control %s: there is another control of the name %q", r.line,
					r.control.ID, name))
			}
		}
		seen[id], seen[called] = true, true
	}
	return errors.Join(errs...)
}
