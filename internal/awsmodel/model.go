package awsmodel

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// Kind is the kind of a shape on the wire.
type Kind uint8

// The kinds of the two models.
const (
	String Kind = iota + 1
	Integer
	Boolean
	Timestamp
	Blob
	List
	Map
	Structure
)

// Service is one of the two APIs.
type Service struct {
	// Name is "iam", "sts" or "organizations", as in the scope of a signature.
	Name string
	// Version is the value of the Version parameter, such as "2010-05-08".
	Version string
	// Namespace is the XML namespace of answers.
	Namespace string
}

// Operation is one action of a service.
type Operation struct {
	Service Service
	// Name is the value of the Action parameter, such as "CreateUser". No name
	// is in two services.
	Name string
	// Input and Output are the structures on the wire. Either may be nil:
	// GetCredentialReport has no input and DeleteUser has no output.
	Input, Output *Shape
}

// HasOutput reports whether an answer has a result element. It has one even if
// the result has no members: clients of UpdateRole look for it.
func (op Operation) HasOutput() bool { return op.Output != nil }

// Shape is one type of the model. Shapes are shared and must not be changed.
type Shape struct {
	Name string
	Kind Kind
	// Min and Max limit the characters of a string, the elements of a list or
	// the value of an integer, both inclusive; nil means no limit.
	Min, Max *int64
	// Pattern is the regular expression, in Java's syntax, that a whole string
	// must match; empty allows all.
	Pattern string
	// Enum holds the values allowed; empty allows all.
	Enum []string
	// Sensitive marks passwords and keys, which are never logged.
	Sensitive bool
	// Union marks a structure in which exactly one member is present.
	Union bool
	// Members of a structure, in the order of the model.
	Members []Member
	// Key of a map.
	Key *Shape
	// Elem is the element of a list or the value of a map.
	Elem *Shape

	matcher func() func(string) bool
	ownText string // AWS's sentence for a broken pattern
}

// Member is a member of a structure.
type Member struct {
	// Name is the member's name on the wire.
	Name     string
	Required bool
	Shape    *Shape
}

// Field returns the name of the member's field in the SDK's Go types: its own
// name with a capital first letter (isTruncated of ListDelegationRequests has a
// small one).
func (m Member) Field() string {
	first, size := utf8.DecodeRuneInString(m.Name)
	return string(unicode.ToUpper(first)) + m.Name[size:]
}

// label returns the member's name in messages and in the audit trail: with a
// small first letter and otherwise unchanged, so SSHPublicKeyId is
// sSHPublicKeyId.
func (m Member) label() string { return lowerFirst(m.Name) }

func lowerFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToLower(first)) + s[size:]
}

// Services returns IAM, STS and Organizations.
func Services() []Service { return loaded().services }

// Operations returns the operations of a service such as "iam", ordered by name, or nil if there is no such service.
func Operations(service string) []Operation {
	var found []Operation
	for _, op := range loaded().operations {
		if op.Service.Name == service {
			found = append(found, op)
		}
	}
	return found
}

// Load reads the model now instead of on first use.
func Load() { loaded() }

// Lookup finds an operation by its name.
func Lookup(name string) (Operation, bool) {
	m := loaded()
	i, ok := m.byName[name]
	if !ok {
		return Operation{}, false
	}
	return m.operations[i], true
}

var loaded = sync.OnceValue(func() *model {
	m, err := parse(modelText)
	if err != nil {
		panic("awsmodel: " + err.Error()) // the file is part of the binary
	}
	return m
})
