package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/interpreter"

	"rollcall/internal/lazyregexp"
	"rollcall/report"
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
	scope    Scope
	when     *expression
	holds    *expression
	message  []messagePart
	template string // template of the reason
	tests    []OwnTest
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
		s.own = &objects{}
		for i := range s.own {
			s.own[i].sight = s
		}
		for name, at := range placeOfVariable {
			s.own[at].kind = objectTypes[name]
		}
	}
	s.own[accountObject].stats = stats
	return s.own
}

// judging returns the function that judges a row, or each credential of the scope's
// kind in it.
func (r *own) judging() func(*sight) {
	switch r.scope {
	case ScopePassword:
		return r.judgePassword
	case ScopeAccessKey:
		return func(s *sight) { r.each(s, AccessKey, "The user has no access key.", columnsKeysActive) }
	case ScopeCertificate:
		return func(s *sight) { r.each(s, Certificate, "The user has no signing certificate.", columnsCertsActive) }
	}
	return func(s *sight) { r.decide(s, s.objects(nil), NoCredential, 0) }
}

func (r *own) judgePassword(s *sight) {
	switch {
	case s.row.PasswordEnabled.IsTrue():
		r.decide(s, s.objects(nil), Password, 0)
	case s.row.PasswordEnabled.IsFalse():
		s.say(NotApplicable, "The user has no password.", columnPassword)
	default:
		s.add(s.credentials[0].noData(columnPassword))
	}
}

// each judges the keys or certificates of a row.
func (r *own) each(s *sight, kind CredentialKind, none string, columns []report.Column) {
	found, first := false, firstPlace(kind)
	for at := first; at < first+2; at++ {
		if s.exists(at) {
			found = true
			o := s.objects(nil)
			o.credentialOf(kind).at = at
			r.decide(s, o, kind, uint8(at-first))
		}
	}
	if !found {
		s.say(NotApplicable, none, columns)
	}
}

// credentialOf returns the variable of the key or certificate that is judged.
func (o *objects) credentialOf(kind CredentialKind) *object {
	if kind == AccessKey {
		return &o[keyObject]
	}
	return &o[certificateObject]
}

// judgeAll judges the account after its last row.
func (r *own) judgeAll(s *sight, stats *Stats) { r.decide(s, s.objects(stats), NoCredential, 0) }

// decide adds the verdict on the objects.
func (r *own) decide(s *sight, o *objects, kind CredentialKind, slot uint8) {
	if r.when != nil {
		applies, unknown, err := r.when.decide(o)
		if unknown != nil || err != nil {
			s.verdicts = append(s.verdicts, r.undecided(o, unknown, err).of(kind, slot))
			return
		}
		if !applies {
			if !s.counts(NotApplicable) {
				s.verdicts = append(s.verdicts, verdict{kind: kind, slot: slot, status: NotApplicable,
					columns: r.when.blame(o), why: "The control does not apply: its condition is false."})
			}
			return
		}
	}
	if kind == AccessKey || kind == Certificate {
		c := &s.credentials[o.credentialOf(kind).at]
		if doubt := c.doubt(); doubt != nil {
			s.verdicts = append(s.verdicts, c.noData(doubt))
			return
		}
	}
	holds, unknown, err := r.holds.decide(o)
	switch {
	case unknown != nil || err != nil:
		s.verdicts = append(s.verdicts, r.undecided(o, unknown, err).of(kind, slot))
	case !holds:
		s.verdicts = append(s.verdicts, verdict{kind: kind, slot: slot, status: Fail, columns: r.holds.blame(o), own: r})
	case !s.counts(Pass):
		s.verdicts = append(s.verdicts, verdict{kind: kind, slot: slot, status: Pass, columns: r.holds.blame(o),
			why: "The expression is true."})
	}
}

// undecided returns the verdict of an expression that could not be evaluated.
// It is never PASS.
func (r *own) undecided(o *objects, unknown *absent, err error) verdict {
	switch {
	case unknown == nil:
		return r.failed(o, err)
	case len(unknown.columns) == 0:
		return verdict{status: NoData, why: "The expression needs a value that is not known."}
	}
	return verdict{status: NoData, columns: unknown.columns}
}

// failed returns the verdict of an expression that CEL could not evaluate.
func (r *own) failed(o *objects, err error) verdict {
	const why = "The expression cannot be decided: {text}."
	text := TextValue(shorten(err.Error()))
	return verdict{status: NoData, why: why, columns: r.holds.blame(o),
		said: func() Reason { return Reason{why, []Value{text}} }}
}

// of returns the verdict as that on a credential.
func (v verdict) of(kind CredentialKind, slot uint8) verdict {
	v.kind, v.slot = kind, slot
	return v
}

// say returns the message for a failure in the current row with its values.
func (r *own) say(s *sight, v *verdict) Reason {
	o, reason := s.own, Reason{Template: r.template}
	if v.kind == AccessKey || v.kind == Certificate { // by now the objects may belong to another credential
		o.credentialOf(v.kind).at = firstPlace(v.kind) + int(v.slot)
	}
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
		for _, name := range slices.Compact([]string{string(r.control.ID), r.control.Name}) {
			name = strings.ToUpper(name)
			if _, builtIn := FindControl(name); builtIn || seen[name] {
				errs = append(errs, fmt.Errorf("control %s: there is another control of the name %q", r.control.ID, name))
			}
		}
		seen[strings.ToUpper(string(r.control.ID))], seen[strings.ToUpper(r.control.Name)] = true, true
	}
	return errors.Join(errs...)
}
