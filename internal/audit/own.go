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
	lines    keyLines // of the configuration
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

//go:noinline // it is called once for each report
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
		for i, name := range slices.Compact([]string{id, called}) {
			if _, builtIn := FindControl(name); builtIn || seen[name] {
				line := r.lines.of([]string{"id", "name"}[i])
				errs = append(errs, fmt.Errorf("line %d: control %s: there is another control of the name %q", line,
					r.control.ID, name))
			}
		}
		seen[id], seen[called] = true, true
	}
	return errors.Join(errs...)
}
