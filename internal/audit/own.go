package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
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

// objects are the variables of one evaluation. They implement an activation of
// CEL.
type objects struct {
	user, password, key, certificate, account object
	// macros are the objects of the macros around an expression; see direct.
	macros [maxMacros]object
}

// of returns the object of a variable.
func (o *objects) of(name string) *object {
	switch name {
	case "user":
		return &o.user
	case "password":
		return &o.password
	case "key":
		return &o.key
	case "certificate":
		return &o.certificate
	}
	return &o.account
}

// ResolveName implements interpreter.Activation.
func (o *objects) ResolveName(name string) (any, bool) {
	if _, ok := objectTypes[name]; !ok {
		return nil, false
	}
	return o.of(name), true
}

// Parent implements interpreter.Activation.
func (o *objects) Parent() interpreter.Activation { return nil }

// objects returns the variables for a row, or for the whole account.
func (s *sight) objects(stats *Stats) *objects {
	if s.own == nil {
		s.own = &objects{}
		for name, kind := range objectTypes {
			*s.own.of(name) = object{kind: kind, sight: s}
		}
	}
	s.own.account.stats = stats
	return s.own
}

// judgeRow judges the whole row, or each credential of the scope's kind.
func (r *own) judgeRow(s *sight) {
	o := s.objects(nil)
	switch r.scope {
	case ScopeUser:
		r.decide(s, o, NoCredential, 0)
	case ScopePassword:
		switch {
		case s.row.PasswordEnabled.IsTrue():
			r.decide(s, o, Password, 0)
		case s.row.PasswordEnabled.IsFalse():
			s.say(NotApplicable, "The user has no password.", columnPassword)
		default:
			s.add(s.credentials[0].noData(columnPassword))
		}
	case ScopeAccessKey:
		r.each(s, o, AccessKey, &o.key, "The user has no access key.", columnsKeysActive)
	case ScopeCertificate:
		r.each(s, o, Certificate, &o.certificate, "The user has no signing certificate.", columnsCertsActive)
	}
}

func (r *own) each(s *sight, o *objects, kind CredentialKind, to *object, none string, columns []report.Column) {
	found := false
	for _, to.at = range placesOf(kind) {
		if s.exists(to.at) {
			found = true
			r.decide(s, o, kind, s.credentials[to.at].slot)
		}
	}
	if !found {
		s.say(NotApplicable, none, columns)
	}
}

// judgeAll judges the account after its last row.
func (r *own) judgeAll(s *sight, stats *Stats) { r.decide(s, s.objects(stats), NoCredential, 0) }

// decide adds the verdict on the objects.
func (r *own) decide(s *sight, o *objects, kind CredentialKind, slot uint8) {
	v := verdict{kind: kind, slot: slot}
	if r.when != nil {
		switch applies, err := r.when.eval(o); {
		case err != nil:
			s.add(r.undecided(v, o, err))
			return
		case applies != types.True:
			v.status, v.why = NotApplicable, "The control does not apply: its condition is false."
			v.columns = r.when.blame(o)
			s.add(v)
			return
		}
	}
	if kind == AccessKey || kind == Certificate {
		c := &s.credentials[placesOf(kind)[slot]]
		if doubt := c.doubt(); doubt != nil {
			s.add(c.noData(doubt))
			return
		}
	}
	holds, err := r.holds.eval(o)
	switch {
	case err != nil:
		v = r.undecided(v, o, err)
	case holds == types.True:
		v.status, v.why, v.columns = Pass, "The expression is true.", r.holds.blame(o)
	default:
		v.status, v.columns, v.own = Fail, r.holds.blame(o), r
	}
	s.add(v)
}

// undecided returns the verdict of an expression that could not be evaluated.
// It is never PASS.
func (r *own) undecided(v verdict, o *objects, err error) verdict {
	v.status = NoData
	var unknown *absent
	if errors.As(err, &unknown) {
		if v.columns = unknown.columns; len(v.columns) == 0 {
			v.why = "The expression needs a value that is not known."
		}
		return v
	}
	v.why, v.columns = "The expression cannot be decided: {text}.", r.holds.blame(o)
	text := TextValue(shorten(err.Error()))
	v.said = func() Reason { return Reason{v.why, []Value{text}} }
	return v
}

// say returns the message for a failure in the current row with its values.
func (r *own) say(s *sight, v *verdict) Reason {
	o, reason := s.own, Reason{Template: r.template}
	switch v.kind { // by now the objects may belong to another credential
	case AccessKey:
		o.key.at = placesOf(v.kind)[v.slot]
	case Certificate:
		o.certificate.at = placesOf(v.kind)[v.slot]
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
