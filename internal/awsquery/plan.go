package awsquery

import (
	"fmt"
	"reflect"
	"strings"
	"time"

	"rollcall/internal/awsmodel"
)

type kind uint8

const (
	text kind = iota
	integer
	boolean
	timestamp
	blob
	stream // a Blob
	list
	dict
	structure
	union
)

// node describes the wire form of one value: a Go type and its position in the
// model. Nodes are created once and only read afterwards.
type node struct {
	kind    kind
	typ     reflect.Type // without the pointer
	pointer bool         // the field is a pointer to typ
	bits    int          // of an integer
	elem    *node        // of a list or the value of a dict
	always  bool         // a nil list is written as an empty one
	enum    bool         // a text that is one of the model's values
	millis  bool         // a timestamp that is written with milliseconds
	fields  []field      // of a structure or a union, in the model's order
}

// field is a member of a structure, or of a union.
type field struct {
	name  string // on the wire
	index int    // in the Go struct; for a union always that of Value
	node  *node
	// variant is the pointer type that represents a union's member.
	variant reflect.Type
}

// format returns the format of a timestamp.
func (n *node) format() string {
	if n.millis {
		return milliFormat
	}
	return timeFormat
}

func newPlan(op awsmodel.Operation, in, out reflect.Type) (*plan, error) {
	p := &plan{namespace: op.Service.Namespace, hasOutput: op.HasOutput()}
	var err error
	if p.in, err = newTop(op.Input, in); err != nil {
		return nil, fmt.Errorf("input: %w", err)
	}
	if p.out, err = newTop(op.Output, out); err != nil {
		return nil, fmt.Errorf("output: %w", err)
	}
	if strings.HasPrefix(op.Name, "List") {
		// AWS also writes the lists of List actions, although the model
		// requires only some of them (not those of ListSSHPublicKeys).
		for _, f := range p.out.fields {
			f.node.always = f.node.kind == list
		}
	}
	if op.Service.Namespace == "" {
		if err := p.checkJSON11(); err != nil {
			return nil, fmt.Errorf("input: %w", err)
		}
	}
	if p.in.holds(stream) {
		return nil, fmt.Errorf("input: %s holds a stream", in)
	}
	streams := 0
	for _, f := range p.out.fields {
		if f.node.kind == stream {
			streams++
		} else if f.node.holds(stream) {
			return nil, fmt.Errorf("output: a stream below %s", f.name)
		}
	}
	if streams > 1 {
		return nil, fmt.Errorf("output: %d streams", streams)
	}
	return p, nil
}

// holds reports whether some value below n is of kind k.
func (n *node) holds(k kind) bool {
	if n.kind == k || n.elem != nil && n.elem.holds(k) {
		return true
	}
	for _, f := range n.fields {
		if f.node.holds(k) {
			return true
		}
	}
	return false
}

// newTop plans an input or output, which may be missing in the model.
func newTop(s *awsmodel.Shape, t reflect.Type) (*node, error) {
	if s == nil {
		s = &awsmodel.Shape{Kind: awsmodel.Structure}
	}
	return newNode(s, t)
}

func newNode(s *awsmodel.Shape, t reflect.Type) (*node, error) {
	n := &node{typ: t}
	if t.Kind() == reflect.Pointer {
		n.pointer, n.typ = true, t.Elem()
	}
	var err error
	switch {
	case s.Kind == awsmodel.String && n.typ.Kind() == reflect.String:
		n.kind, n.enum = text, len(s.Enum) > 0
	case s.Kind == awsmodel.Integer && (n.typ.Kind() == reflect.Int32 || n.typ.Kind() == reflect.Int64):
		n.kind, n.bits = integer, n.typ.Bits()
	case s.Kind == awsmodel.Boolean && n.typ.Kind() == reflect.Bool:
		n.kind = boolean
	case s.Kind == awsmodel.Timestamp && n.typ == reflect.TypeFor[time.Time]():
		n.kind = timestamp
	case s.Kind == awsmodel.Blob && n.typ == reflect.TypeFor[[]byte]():
		n.kind = blob
	case s.Kind == awsmodel.Blob && n.typ == reflect.TypeFor[Blob]():
		n.kind = stream
	case s.Kind == awsmodel.List && n.typ.Kind() == reflect.Slice:
		n.kind = list
		n.elem, err = newNode(s.Elem, n.typ.Elem())
	case s.Kind == awsmodel.Map && n.typ.Kind() == reflect.Map && n.typ.Key().Kind() == reflect.String:
		n.kind = dict
		n.elem, err = newNode(s.Elem, n.typ.Elem())
	case s.Kind == awsmodel.Structure && s.Union && n.typ.Kind() == reflect.Interface:
		n.kind = union
		n.fields, err = variants(s, n.typ)
	case s.Kind == awsmodel.Structure && !s.Union && n.typ.Kind() == reflect.Struct:
		n.kind = structure
		n.fields, err = structFields(s, n.typ)
	default:
		return nil, fmt.Errorf("%s cannot hold the model's %s", t, s.Name)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Name, err)
	}
	return n, nil
}

func structFields(s *awsmodel.Shape, t reflect.Type) ([]field, error) {
	known := map[string]bool{"ResultMetadata": true} // the SDK's own, not on the wire
	fields := make([]field, 0, len(s.Members))
	for _, m := range s.Members {
		f, ok := t.FieldByName(m.Field())
		if !ok {
			return nil, fmt.Errorf("%s lacks %s", t, m.Field())
		}
		known[f.Name] = true
		n, err := newNode(m.Shape, f.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		// AWS always writes the lists that its model requires.
		n.always = n.kind == list && m.Required
		n.millis = milliMembers[s.Name+"."+m.Name]
		fields = append(fields, field{name: m.Name, index: f.Index[0], node: n})
	}
	for f := range t.Fields() {
		if name, ok := f.Tag.Lookup("query"); ok && !known[f.Name] {
			n, err := newOwn(f.Type)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name, err)
			}
			fields = append(fields, field{name: name, index: f.Index[0], node: n})
			continue
		}
		if f.IsExported() && !known[f.Name] {
			return nil, fmt.Errorf("%s has %s, which the model does not know", t, f.Name)
		}
	}
	if order, ok := outputOrders[s.Name]; ok {
		fields = reorder(fields, order)
	}
	return fields, nil
}

// newOwn plans one of our own parameters, which is not in AWS's model.
func newOwn(t reflect.Type) (*node, error) {
	switch t {
	case reflect.TypeFor[*string]():
		return &node{kind: text, typ: t.Elem(), pointer: true}, nil
	case reflect.TypeFor[*time.Time]():
		return &node{kind: timestamp, typ: t.Elem(), pointer: true}, nil
	}
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("a parameter of our own cannot be %s", t)
	}
	n := &node{kind: structure, typ: t.Elem(), pointer: true}
	for f := range t.Elem().Fields() {
		member, err := newOwn(f.Type)
		if err != nil {
			return nil, err
		}
		n.fields = append(n.fields, field{name: f.Name, index: f.Index[0], node: member})
	}
	return n, nil
}

// outputOrders lists the structures that AWS writes in another order than its
// model's. Source: the samples of GenerateCredentialReport and
// GetCallerIdentity, and recordings of the former and, except for the last two
// members, of GetAccountAuthorizationDetails.
var outputOrders = map[string][]string{
	"GenerateCredentialReportResponse": {"Description", "State"},
	"GetCallerIdentityResponse":        {"Arn", "UserId", "Account"},
	"GetAccountAuthorizationDetailsResponse": {
		"Policies", "UserDetailList", "RoleDetailList", "GroupDetailList", "IsTruncated", "Marker",
	},
}

func reorder(fields []field, order []string) []field {
	sorted := make([]field, 0, len(fields))
	for _, name := range order {
		for _, f := range fields {
			if f.name == name {
				sorted = append(sorted, f)
			}
		}
	}
	return sorted
}

func variants(s *awsmodel.Shape, t reflect.Type) ([]field, error) {
	var fields []field
	for _, m := range s.Members {
		variant := awsmodel.Variant(t, m.Name)
		if variant == nil {
			return nil, fmt.Errorf("%s has no variant %s", t, m.Name)
		}
		value, ok := variant.Elem().FieldByName("Value")
		if !ok {
			return nil, fmt.Errorf("%s has no Value", variant)
		}
		n, err := newNode(m.Shape, value.Type)
		if err != nil {
			return nil, err
		}
		fields = append(fields, field{name: m.Name, index: value.Index[0], node: n, variant: variant})
	}
	return fields, nil
}
