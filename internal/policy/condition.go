package policy

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"strings"
)

type family uint8

const (
	stringFamily family = iota
	numericFamily
	dateFamily
	binaryFamily
	addressFamily
	arnFamily
	nullFamily
)

// operator is how one name of the language compares.
type operator struct {
	family family
	negate bool // …Not…: true where the positive operator is false
	text   syntax
	// Which outcomes of a comparison match, for numbers and dates.
	less, equal, greater bool
}

var (
	exact    = syntax{vars: true}
	caseless = syntax{vars: true, fold: true}
	globbing = syntax{vars: true, wild: true}
)

// operators are those of the IAM reference, JSON policy elements: condition
// operators. ArnEquals and ArnLike are the same there, wildcards included.
var operators = map[string]operator{
	"StringEquals":              {text: exact},
	"StringNotEquals":           {text: exact, negate: true},
	"StringEqualsIgnoreCase":    {text: caseless},
	"StringNotEqualsIgnoreCase": {text: caseless, negate: true},
	"StringLike":                {text: globbing},
	"StringNotLike":             {text: globbing, negate: true},
	"NumericEquals":             {family: numericFamily, equal: true},
	"NumericNotEquals":          {family: numericFamily, equal: true, negate: true},
	"NumericLessThan":           {family: numericFamily, less: true},
	"NumericLessThanEquals":     {family: numericFamily, less: true, equal: true},
	"NumericGreaterThan":        {family: numericFamily, greater: true},
	"NumericGreaterThanEquals":  {family: numericFamily, greater: true, equal: true},
	"DateEquals":                {family: dateFamily, equal: true},
	"DateNotEquals":             {family: dateFamily, equal: true, negate: true},
	"DateLessThan":              {family: dateFamily, less: true},
	"DateLessThanEquals":        {family: dateFamily, less: true, equal: true},
	"DateGreaterThan":           {family: dateFamily, greater: true},
	"DateGreaterThanEquals":     {family: dateFamily, greater: true, equal: true},
	"Bool":                      {text: caseless},
	"BinaryEquals":              {family: binaryFamily},
	"IpAddress":                 {family: addressFamily},
	"NotIpAddress":              {family: addressFamily, negate: true},
	"ArnEquals":                 {family: arnFamily, text: globbing},
	"ArnLike":                   {family: arnFamily, text: globbing},
	"ArnNotEquals":              {family: arnFamily, text: globbing, negate: true},
	"ArnNotLike":                {family: arnFamily, text: globbing, negate: true},
	"Null":                      {family: nullFamily, text: caseless},
}

type setOperator uint8

const (
	oneValue setOperator = iota
	forAllValues
	forAnyValue
)

// condition is one key under one operator.
type condition struct {
	operator
	set      setOperator
	ifExists bool
	name     string // the operator as written
	key      string // the key as written
	folded   string // the key in lower case
	texts    []string
	values   []value
}

// value is a compiled value of a policy; its family says which field counts.
type value struct {
	pattern pattern
	arn     [][]token // the parts of a pattern without variables
	number  number
	instant instant
	prefix  netip.Prefix
	binary  []byte
	yes     bool // of Null
}

// parseOperator reads a name with its prefix and suffix.
func parseOperator(name string) (op operator, set setOperator, ifExists, ok bool) {
	base, all := strings.CutPrefix(name, "ForAllValues:")
	base, any := strings.CutPrefix(base, "ForAnyValue:")
	base, ifExists = strings.CutSuffix(base, "IfExists")
	op, ok = operators[base]
	switch {
	case all && any, op.family == nullFamily && (ifExists || all || any):
		// Null asks whether the key exists: neither makes sense with it.
		return operator{}, oneValue, false, false
	case all:
		set = forAllValues
	case any:
		set = forAnyValue
	}
	return op, set, ifExists, ok
}

// compileValue reads one value as its family does. vars is false in documents
// of the old version, in which ${…} is plain text.
func (o operator) compileValue(text string, vars bool) (v value, ok bool) {
	switch o.family {
	case numericFamily:
		v.number, ok = parseNumber(text)
	case dateFamily:
		v.instant, ok = parseInstant(text)
	case addressFamily:
		v.prefix, ok = parsePrefix(text)
	case binaryFamily:
		var err error
		v.binary, err = base64.StdEncoding.DecodeString(text)
		ok = err == nil
	case nullFamily:
		v.yes = strings.EqualFold(text, "true")
		ok = v.yes || strings.EqualFold(text, "false")
	default:
		s := o.text
		s.vars = vars
		v.pattern, ok = compile(text, s)
		if o.family == arnFamily && !v.pattern.vars {
			v.arn = splitARN(v.pattern.tokens)
		}
	}
	return v, ok
}

// holds reports whether the condition is met.
//
// IAM, condition operators and multivalued keys: a key that is not there fails
// a positive operator, meets a negated one and one with IfExists; meets
// ForAllValues; fails ForAnyValue, even with IfExists (tried on AWS by others).
// A key with no values is not there.
//
// Without a set operator a key of several values meets a positive operator
// when any of them does, and a negated one when none meets the positive: IAM
// leaves this undefined (G), and so a Deny by what is not listed is not escaped
// by adding a value.
func (c *condition) holds(ctx Context) bool {
	values := ctx.values(c.folded)
	if c.family == nullFamily {
		for i := range c.values {
			if c.values[i].yes == (len(values) == 0) {
				return true
			}
		}
		return false
	}
	if len(values) == 0 && c.set == oneValue {
		return c.negate || c.ifExists
	}
	for _, s := range values {
		met := c.matchesAny(s, ctx)
		switch {
		case c.set == forAllValues && met == c.negate:
			return false
		case c.set == forAnyValue && met != c.negate:
			return true
		case c.set == oneValue && met:
			return !c.negate
		}
	}
	return c.set == forAllValues || c.set == oneValue && c.negate
}

// matchesAny reports whether the request's value equals one of the policy's.
func (c *condition) matchesAny(s string, ctx Context) bool {
	switch c.family {
	case stringFamily:
		for i := range c.values {
			if c.values[i].pattern.match(s, ctx) {
				return true
			}
		}
	case numericFamily:
		n, ok := parseNumber(s)
		for i := 0; ok && i < len(c.values); i++ {
			if c.orders(n.compare(c.values[i].number)) {
				return true
			}
		}
	case dateFamily:
		t, ok := parseInstant(s)
		for i := 0; ok && i < len(c.values); i++ {
			if c.orders(t.compare(c.values[i].instant)) {
				return true
			}
		}
	case addressFamily:
		addr, err := netip.ParseAddr(s)
		for i := 0; err == nil && i < len(c.values); i++ {
			if c.values[i].prefix.Contains(addr.Unmap()) {
				return true
			}
		}
	case arnFamily:
		for i := range c.values {
			if c.values[i].matchesARN(s, ctx) {
				return true
			}
		}
	case binaryFamily:
		b, err := base64.StdEncoding.DecodeString(s)
		for i := 0; err == nil && i < len(c.values); i++ {
			if bytes.Equal(b, c.values[i].binary) {
				return true
			}
		}
	}
	return false
}

// orders reports whether the outcome of a comparison is one that matches.
func (o *operator) orders(outcome int) bool {
	return outcome < 0 && o.less || outcome == 0 && o.equal || outcome > 0 && o.greater
}

func (v *value) matchesARN(s string, ctx Context) bool {
	if !v.pattern.vars {
		return matchARN(v.arn, s)
	}
	// A variable may hold several parts, even a whole ARN.
	tokens, ok := resolve(nil, v.pattern.tokens, ctx)
	return ok && matchARN(splitARN(tokens), s)
}
