package awsmodel

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"
)

//go:embed model.txt
var modelText string

// model holds the content of model.txt. The file has one fact per line, in
// words separated by one blank:
//
//	service iam 2010-05-08 https://…       starts a service; the rest is its
//	op CreateUser InputShape OutputShape   "-" if there is none
//	error NoSuchEntity 404 NoSuchEntityException   the last is the name of the shape
//	string userNameType 1..64 /[\\w]+       length; the pattern is the rest of the line
//	string passwordType 1..128 sensitive
//	string statusType {Active|Inactive}
//	integer maxItemsType 1..1000
//	list tagListType ..50 Tag
//	map summaryMapType keyShape valueShape
//	structure Tag Key!keyShape Value:valueShape    "!" marks a required member
type model struct {
	services   []Service
	operations []Operation
	byName     map[string]int
	statuses   map[string]int
	exceptions map[string]string // names of the shapes, by code
}

var kinds = map[string]Kind{
	"string": String, "integer": Integer, "boolean": Boolean, "timestamp": Timestamp,
	"blob": Blob, "list": List, "map": Map, "structure": Structure,
}

// reading holds one service while it is read. A line may name a shape that a
// later line defines.
type reading struct {
	service Service
	shapes  map[string]*Shape
	defined map[string]bool
}

func parse(text string) (*model, error) {
	m := &model{byName: map[string]int{}, statuses: map[string]int{}, exceptions: map[string]string{}}
	var r *reading
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		var err error
		switch {
		case word == "service":
			if err = r.complete(); err == nil {
				r, err = m.readService(rest)
			}
		case r == nil:
			err = fmt.Errorf("%q before any service", word)
		case word == "op":
			err = m.readOperation(r, rest)
		case word == "error":
			err = m.readError(rest)
		default:
			err = r.readShape(word, rest)
		}
		if err != nil {
			return nil, fmt.Errorf("read model line %d: %w", number, err)
		}
	}
	if err := r.complete(); err != nil {
		return nil, fmt.Errorf("read model: %w", err)
	}
	return m, nil
}

func (r *reading) complete() error {
	if r == nil {
		return nil
	}
	for name := range r.shapes {
		if !r.defined[name] {
			return fmt.Errorf("shape %s of %s is not defined", name, r.service.Name)
		}
	}
	return nil
}

func (m *model) readService(rest string) (*reading, error) {
	words := strings.Split(rest, " ")
	if len(words) != 3 {
		return nil, fmt.Errorf("service has %d words", len(words))
	}
	s := Service{Name: words[0], Version: words[1], Namespace: strings.Trim(words[2], "-")}
	m.services = append(m.services, s)
	return &reading{service: s, shapes: map[string]*Shape{}, defined: map[string]bool{}}, nil
}

func (m *model) readOperation(r *reading, rest string) error {
	words := strings.Split(rest, " ")
	if len(words) != 3 {
		return fmt.Errorf("operation has %d words", len(words))
	}
	op := Operation{Service: r.service, Name: words[0]}
	if words[1] != "-" {
		op.Input = r.shape(words[1])
	}
	if words[2] != "-" {
		op.Output = r.shape(words[2])
	}
	if _, ok := m.byName[op.Name]; ok {
		return fmt.Errorf("operation %s twice", op.Name)
	}
	m.byName[op.Name] = len(m.operations)
	m.operations = append(m.operations, op)
	return nil
}

func (m *model) readError(rest string) error {
	words := strings.Split(rest, " ")
	if len(words) != 3 {
		return fmt.Errorf("error has %d words", len(words))
	}
	code := words[0]
	status, err := strconv.Atoi(words[1])
	if err != nil {
		return fmt.Errorf("status of %s: %w", code, err)
	}
	m.statuses[code], m.exceptions[code] = status, words[2]
	return nil
}

// shape returns the shape with a name, which a later line may fill.
func (r *reading) shape(name string) *Shape {
	s, ok := r.shapes[name]
	if !ok {
		s = &Shape{Name: name}
		if r.service.Name == "iam" {
			s.ownText = ownTexts[name]
		}
		r.shapes[name] = s
	}
	return s
}

func (r *reading) readShape(kind, rest string) error {
	name, rest, _ := strings.Cut(rest, " ")
	if r.defined[name] {
		return fmt.Errorf("shape %s twice", name)
	}
	r.defined[name] = true
	s := r.shape(name)
	s.Kind = kinds[kind]
	if s.Kind == 0 {
		return fmt.Errorf("shape %s has the unknown kind %q", name, kind)
	}
	for rest != "" {
		if rest[0] == '/' {
			pattern := rest[1:]
			if own, ok := ownPatterns[name]; ok && r.service.Name == "iam" {
				pattern = own
			}
			s.setPattern(pattern)
			return nil
		}
		var word string
		word, rest, _ = strings.Cut(rest, " ")
		if err := r.readWord(s, word); err != nil {
			return fmt.Errorf("shape %s: %w", name, err)
		}
	}
	return nil
}

func (r *reading) readWord(s *Shape, word string) error {
	if low, high, ok := strings.Cut(word, ".."); ok {
		var err error
		if s.Min, err = bound(low); err != nil {
			return err
		}
		s.Max, err = bound(high)
		return err
	}
	switch {
	case word == "sensitive":
		s.Sensitive = true
	case word == "union":
		s.Union = true
	case word[0] == '{':
		s.Enum = strings.Split(strings.Trim(word, "{}"), "|")
	case s.Kind == Structure:
		at := strings.IndexAny(word, ":!")
		if at < 1 {
			return fmt.Errorf("member %q", word)
		}
		s.Members = append(s.Members, Member{Name: word[:at], Required: word[at] == '!', Shape: r.shape(word[at+1:])})
	case s.Kind == Map && s.Key == nil:
		s.Key = r.shape(word)
	case (s.Kind == List || s.Kind == Map) && s.Elem == nil:
		s.Elem = r.shape(word)
	default:
		return fmt.Errorf("unexpected word %q", word)
	}
	return nil
}

func bound(s string) (*int64, error) {
	if s == "" {
		return nil, nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return &n, err
}
