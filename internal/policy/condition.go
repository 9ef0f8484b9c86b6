package policy

import (
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
	boolFamily
	nullFamily
)

// operator describes how one name of the language compares.
type operator struct {
	family family
	negate bool // …Not…: true if the positive operator is false
	text   syntax
	// These say which results of a comparison match, for numbers and dates.
	less, equal, greater bool
}

var (
	exact    = syntax{vars: true}
	caseless = syntax{vars: true, fold: true}
	globbing = syntax{vars: true, wild: true}
)

// operators are those of the IAM reference, JSON policy elements: condition
// operators. ArnEquals and ArnLike are the same there, including wildcards.
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
	"Bool":                      {family: boolFamily, text: exact},
	"BinaryEquals":              {family: binaryFamily},
	"IpAddress":                 {family: addressFamily},
	"NotIpAddress":              {family: addressFamily, negate: true},
	"ArnEquals":                 {family: arnFamily, text: globbing},
	"ArnLike":                   {family: arnFamily, text: globbing},
	"ArnNotEquals":              {family: arnFamily, text: globbing, negate: true},
	"ArnNotLike":                {family: arnFamily, text: globbing, negate: true},
	"Null":                      {family: nullFamily},
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
	// listed holds plain texts among many values, in lower case if case is
	// ignored. unlisted holds the indexes of the other values. If listed is
	// nil, all values are compared one by one.
	listed   map[string]bool
	unlisted []int
}

// value is a compiled value of a policy; its family says which field counts.
type value struct {
	unreadable bool // equals nothing: in a policy that is not checked for unreadable values
	pattern    pattern
	arn        [][]token // the parts of a pattern without variables; nil: no ARN
	number     number
	instant    instant
	prefix     netip.Prefix
	binary     string
	yes        bool // for Null, and for Bool without variables
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

// compileValue reads one value by the rules of its family. vars is false in
// documents of the old version, in which ${…} is plain text. It returns false
// for a value that no policy may have, and unreadable for one that only session
// policies may have. For them the notations of IPv6 that only storing accepts
// are unreadable too.
func (o operator) compileValue(text string, vars, session bool) (v value, ok bool) {
	readable := true
	switch o.family {
	case numericFamily:
		v.number, readable = parseNumber(text)
	case dateFamily:
		v.instant, readable = parseInstant(text)
	case addressFamily:
		var usual bool
		v.prefix, usual, readable = parsePrefix(text)
		readable = readable && (usual || !session)
	case binaryFamily:
		v.binary, ok = decodeBinary(text)
		return v, ok
	case nullFamily:
		v.yes = isTrue(text)
	default:
		s := o.text
		s.vars = vars
		if v.pattern, ok = compile(text, s); !ok {
			return v, false
		}
		switch {
		case v.pattern.vars:
		case o.family == arnFamily:
			v.arn = splitARN(v.pattern.tokens)
			readable = v.arn != nil
		case o.family == boolFamily:
			v.yes = isTrue(text)
		}
	}
	v.unreadable = !readable
	return v, true
}

// manyValues is the number of values from which they are looked up instead of
// compared.
const manyValues = 8

// list prepares the plain texts among many values for look-ups.
func (c *condition) list() {
	if len(c.values) < manyValues || c.family != stringFamily {
		return
	}
	c.listed = map[string]bool{}
	for i := range c.values {
		switch p := &c.values[i].pattern; {
		case len(p.tokens) == 0:
			c.listed[""] = true
		case len(p.tokens) == 1 && p.tokens[0].kind == literal:
			c.listed[p.tokens[0].text] = true
		default:
			c.unlisted = append(c.unlisted, i)
		}
	}
}

// isTrue says whether Bool and Null read a text as true. All other texts are
// false.
func isTrue(text string) bool { return strings.EqualFold(text, "true") }

func decodeBinary(text string) (string, bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	return string(b), err == nil && !strings.ContainsAny(text, "\r\n")
}
