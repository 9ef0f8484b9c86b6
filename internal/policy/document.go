package policy

import (
	"encoding/json"
	"slices"
	"strings"
)

// Kind is the use of a document. It decides which elements are required and
// which are forbidden.
type Kind uint8

// The kinds of document.
const (
	Managed  Kind = iota // a managed policy: CreatePolicy, CreatePolicyVersion
	Inline               // of a user, group or role: Put…Policy
	Boundary             // a managed policy used as a permissions boundary; the same rules as Managed
	Session              // the Policy parameter of AssumeRole and similar actions
	Control              // a control policy of an account
	Trust                // the trust policy of a role: AssumeRolePolicyDocument
	Resource             // a policy of another resource, in simulations
)

// These are the quotas of documents, in characters as Size counts them. IAM
// quotas: the inline policies of an entity share one; the others apply to each
// document.
const (
	MaxManagedSize     = 6144
	MaxUserInlineSize  = 2048
	MaxGroupInlineSize = 5120
	MaxRoleInlineSize  = 10240
	MaxTrustSize       = 2048 // the default of the adjustable ACLSizePerRole
	MaxSessionSize     = 2048
	MaxControlSize     = 5120
)

// These are the versions of the language. A document without one has
// OldVersion, in which ${…} is plain text.
const (
	OldVersion = "2008-10-17"
	NewVersion = "2012-10-17"
)

// Effect is the effect of a statement on the requests that it applies to.
type Effect string

// The two effects.
const (
	Allow Effect = "Allow"
	Deny  Effect = "Deny"
)

// Document is a parsed policy. Create one with Parse; do not change it.
type Document struct {
	Kind       Kind
	Version    string // "" if none is written
	ID         string
	Statements []Statement
	hasID      bool
}

// Position is a position in a document's text. Both numbers count from 1,
// columns in bytes.
type Position struct{ Line, Column int }

// Statement is one statement. Exactly one of Actions and NotActions is given,
// and one of Resources and NotResources, or neither in a Trust document.
type Statement struct {
	Sid          string
	Effect       Effect
	Actions      []string
	NotActions   []string
	Resources    []string
	NotResources []string
	// Start is the place of the opening brace in the text, End the place after
	// the closing one.
	Start, End Position

	size          int // bytes of the text
	hasSid        bool
	actions       []pattern // compiled from Actions or NotActions
	resources     []pattern
	principals    *principals
	notPrincipals *principals
	conditions    []condition
}

// Conditional reports whether the statement has conditions.
func (st *Statement) Conditional() bool { return len(st.conditions) > 0 }

// Parse reads a document and refuses it unless it meets every rule of its kind.
// Every error is a *awsmodel.Error with the code MalformedPolicyDocument. It
// does not check quotas of size. The caller compares Size, because the error
// depends on the quota's owner.
func Parse(text string, kind Kind) (*Document, error) {
	return parse(text, kind, kind == Session)
}

// Stored reads a document that Parse accepted when it was stored. It also
// accepts values of conditions that are refused now: they equal nothing, as in
// session policies. Simulations read their input in this way: recorded.
func Stored(text string, kind Kind) (*Document, error) {
	return parse(text, kind, true)
}

// parse accepts values that no operator can read if it is lenient.
func parse(text string, kind Kind, lenient bool) (*Document, error) {
	root, err := parseJSON(text)
	if err != nil {
		return nil, notJSON(kind)
	}
	p := parser{text: text, kind: kind}
	return p.parse(root, lenient)
}

// NamedAnew returns the document with other values for the AWS principals that
// are keys of by. Nothing else in it changes.
func (d *Document) NamedAnew(by map[string]string) *Document {
	named := *d
	named.Statements = slices.Clone(d.Statements)
	for i := range named.Statements {
		st := &named.Statements[i]
		st.principals, st.notPrincipals = st.principals.namedAnew(by), st.notPrincipals.namedAnew(by)
	}
	return &named
}

func (p *principals) namedAnew(by map[string]string) *principals {
	if p == nil {
		return nil
	}
	named := *p
	named.byType[awsPrincipals] = slices.Clone(p.byType[awsPrincipals])
	for i, value := range named.byType[awsPrincipals] {
		if other, ok := by[value]; ok {
			named.byType[awsPrincipals][i] = other
		}
	}
	return &named
}

// String returns the document in one line, with members in the order of the
// grammar. Parse reads it as an equal document.
func (d *Document) String() string {
	var w writer
	w.open()
	if d.Version != "" {
		w.member("Version", []string{d.Version})
	}
	if d.hasID {
		w.member("Id", []string{d.ID})
	}
	w.key("Statement")
	w.WriteByte('[')
	for i := range d.Statements {
		if i > 0 {
			w.WriteByte(',')
		}
		d.Statements[i].write(&w)
	}
	w.WriteByte(']')
	w.WriteByte('}')
	return w.String()
}

func (st *Statement) write(w *writer) {
	w.open()
	if st.hasSid {
		w.member("Sid", []string{st.Sid})
	}
	w.member("Effect", []string{string(st.Effect)})
	if st.principals != nil {
		st.principals.write(w, "Principal")
	}
	if st.notPrincipals != nil {
		st.notPrincipals.write(w, "NotPrincipal")
	}
	w.list("Action", st.Actions)
	w.list("NotAction", st.NotActions)
	w.list("Resource", st.Resources)
	w.list("NotResource", st.NotResources)
	if len(st.conditions) > 0 {
		w.key("Condition")
		w.open()
		for i := range st.conditions {
			c := &st.conditions[i]
			if i == 0 || st.conditions[i-1].name != c.name {
				if i > 0 {
					w.WriteByte('}')
				}
				w.key(c.name)
				w.open()
			}
			w.member(c.key, c.texts)
		}
		w.WriteString("}}")
	}
	w.WriteByte('}')
}

func (p *principals) write(w *writer, name string) {
	if p.everyone && len(p.byType[awsPrincipals]) == 0 {
		w.member(name, []string{"*"})
		return
	}
	w.key(name)
	w.open()
	for kind, values := range p.byType {
		w.list(principalTypes[kind], values)
	}
	w.WriteByte('}')
}

// writer writes JSON members one after the other.
type writer struct {
	strings.Builder
	first bool // no member since the opening brace
}

func (w *writer) open() {
	w.WriteByte('{')
	w.first = true
}

func (w *writer) key(name string) {
	if !w.first {
		w.WriteByte(',')
	}
	w.first = false
	w.quote(name)
	w.WriteByte(':')
}

// member writes a single value without an array, as authors do, and any other
// number of values as an array.
func (w *writer) member(name string, values []string) {
	w.key(name)
	if len(values) == 1 {
		w.quote(values[0])
		return
	}
	w.WriteByte('[')
	for i, value := range values {
		if i > 0 {
			w.WriteByte(',')
		}
		w.quote(value)
	}
	w.WriteByte(']')
}

// list writes a member, or omits it if it has no values.
func (w *writer) list(name string, values []string) {
	if len(values) > 0 {
		w.member(name, values)
	}
}

func (w *writer) quote(s string) {
	b, _ := json.Marshal(s) // a string always marshals
	w.Write(b)
}

// Size counts the characters of a document's text as IAM's quotas do: without
// white space. White space inside a string counts here (G: IAM's guide only
// says that white space does not count).
func Size(text string) int {
	n, quoted, escaped := 0, false, false
	for _, r := range text {
		switch {
		case quoted:
			n++
			quoted = escaped || r != '"'
			escaped = !escaped && r == '\\'
		case strings.ContainsRune(" \t\r\n", r):
		default:
			n++
			quoted = r == '"'
		}
	}
	return n
}

// ContextKeys returns the condition keys that a document uses, in conditions
// and in variables, each once and sorted, in their first spelling.
func (d *Document) ContextKeys() []string {
	keys := spelledKeys{}
	for i := range d.Statements {
		keys.addStatement(d, &d.Statements[i])
	}
	return keys.sorted()
}

// Principals returns the values of one key of the Principal and NotPrincipal
// elements: "AWS", "Service" or "Federated". The store checks that they exist.
func (d *Document) Principals(kind string) []string {
	var values []string
	k := slices.Index(principalTypes[:], kind)
	for i := range d.Statements {
		for _, p := range []*principals{d.Statements[i].principals, d.Statements[i].notPrincipals} {
			if p != nil && k >= 0 {
				values = append(values, p.byType[k]...)
			}
		}
	}
	return values
}
