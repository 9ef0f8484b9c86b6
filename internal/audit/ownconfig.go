package audit

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/google/cel-go/common/types"
	"go.yaml.in/yaml/v3"

	"rollcall/internal/words"
)

// ownFile is a control in a configuration file.
type ownFile struct {
	ID           string            `yaml:"id"`
	Name         string            `yaml:"name"`
	Title        string            `yaml:"title"`
	Description  string            `yaml:"description"`
	Severity     string            `yaml:"severity"`
	Scope        Scope             `yaml:"scope"`
	Root         bool              `yaml:"root"`
	When         placed            `yaml:"when"`
	Expression   placed            `yaml:"expression"`
	Message      placed            `yaml:"message"`
	Fix          string            `yaml:"fix"`
	Requirements []requirementFile `yaml:"requirements"`
	Tests        []OwnTest         `yaml:"tests"`

	lines keyLines
}

type requirementFile struct {
	Standard string `yaml:"standard"` // any: it may be one of the user's own
	ID       string `yaml:"id"`

	line int
}

// UnmarshalYAML also stores the line, and returns an error for unknown keys.
func (r *requirementFile) UnmarshalYAML(node *yaml.Node) error {
	type plain requirementFile
	err := decodeKnown(node, (*plain)(r))
	r.line = node.Line
	return err
}

// UnmarshalYAML also stores the lines, and returns an error for unknown keys.
func (f *ownFile) UnmarshalYAML(node *yaml.Node) error {
	type plain ownFile
	err := decodeKnown(node, (*plain)(f))
	f.lines = linesOf(node)
	return err
}

// keyLines are the lines of a mapping: the first one, and those of its values.
type keyLines struct {
	first  int
	values map[string]int
}

func linesOf(mapping *yaml.Node) keyLines {
	l := keyLines{mapping.Line, map[string]int{}}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		l.values[mapping.Content[i].Value] = mapping.Content[i+1].Line
	}
	return l
}

// of returns the line of a key's value, or the first one if the key is missing.
func (l *keyLines) of(key string) int { return cmp.Or(l.values[key], l.first) }

// placed is a text with its line.
type placed struct {
	text string
	line int
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (p *placed) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: it is not a string", node.Line)
	}
	p.text, p.line = node.Value, node.Line
	if node.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		p.line++ // the text begins on the line after its key
	}
	return nil
}

// fail adds the line of a text, its control and its key to an error.
func (p *placed) fail(id, key string, err error) error {
	line := p.line
	var issues *celError
	if errors.As(err, &issues) {
		line += issues.line()
	}
	return fmt.Errorf("line %d: control %s: %s: %w", line, id, key, err)
}

// compileOwn turns the controls of a configuration into rules.
func compileOwn(files []ownFile) ([]*own, error) {
	var all []*own
	var errs []error
	for i := range files {
		r, err := files[i].compile()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all = append(all, r)
	}
	return all, errors.Join(append(errs, checkOwn(all))...)
}

func (f *ownFile) compile() (*own, error) {
	if line, err := f.check(); err != nil {
		return nil, fmt.Errorf("line %d: control %s: %w", line, cmp.Or(f.ID, "without id"), err)
	}
	severity, err := ParseSeverity(strings.ToLower(f.Severity))
	if err != nil {
		return nil, fmt.Errorf("line %d: control %s: %w", f.lines.of("severity"), f.ID, err)
	}
	r := &own{lines: f.lines, scope: f.Scope, tests: f.Tests}
	if r.holds, err = compile(f.Scope, f.Expression.text, types.BoolType); err != nil {
		return nil, f.Expression.fail(f.ID, "expression", err)
	}
	if f.When.text != "" {
		if r.when, err = compile(f.Scope, f.When.text, types.BoolType); err != nil {
			return nil, f.When.fail(f.ID, "when", err)
		}
	}
	if f.Message.text == "" {
		r.template, r.message = "This is not true: {expression}", []messagePart{{fixed: inline(f.Expression.text)}}
	} else if err := r.compileMessage(f.Scope, f.Message.text); err != nil {
		return nil, f.Message.fail(f.ID, "message", err)
	}
	r.control = f.control(severity, r)
	r.aim()
	r.judge, r.judgeAccount = r.judging(), r.judgeAll
	switch {
	case f.Scope == ScopeAccount:
		r.on = onAccount
	case f.Root:
		r.on = onAll
	default:
		r.on = onUsers
	}
	return r, nil
}

// check returns an error if something is missing or wrong, and its line.
func (f *ownFile) check() (line int, err error) {
	for _, need := range []struct{ key, value string }{
		{"id", f.ID}, {"title", f.Title}, {"severity", f.Severity}, {"scope", string(f.Scope)},
		{"expression", f.Expression.text},
	} {
		if strings.TrimSpace(need.value) == "" {
			return f.lines.of(need.key), fmt.Errorf("%s is missing", need.key)
		}
	}
	switch {
	case builtInID.MatchString(f.ID):
		return f.lines.of("id"), errors.New("ids of C and a number are Rollcall's own")
	case !isOwnID(f.ID):
		return f.lines.of("id"), errors.New("id must have capital letters, digits and single hyphens, begin with a " +
			"letter, and have at most 32 characters")
	case !slices.Contains(Scopes(), f.Scope):
		return f.lines.of("scope"), fmt.Errorf("scope %q is not one of %s", f.Scope, joinScopes())
	case f.Root && f.Scope == ScopeAccount:
		return f.lines.of("root"), errors.New("root: true has no meaning in scope account")
	}
	for _, r := range f.Requirements {
		if r.Standard == "" || r.ID == "" {
			return r.line, errors.New("a requirement needs standard and id")
		}
	}
	return 0, nil
}

func joinScopes() string {
	var names []string
	for _, s := range Scopes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}

// inline returns a text in one line.
func inline(text string) string { return strings.Join(strings.Fields(text), " ") }

// control describes the control in the form of the others.
func (f *ownFile) control(severity Severity, r *own) Control {
	c := Control{
		ID: ControlID(f.ID), Name: cmp.Or(f.Name, strings.ToLower(f.ID)), Title: inline(f.Title),
		Description: inline(cmp.Or(f.Description, f.Title)), Remediation: inline(f.Fix), Severity: severity,
		Rule: "PASS if the expression is true: " + inline(f.Expression.text) + ". FAIL if it is false, NO_DATA if a " +
			"value that decides is not known.",
		Subject: map[Scope]Subject{ScopeUser: SubjectUser, ScopeAccount: SubjectReport}[f.Scope],
		CEL:     inline(f.Expression.text), When: inline(f.When.text), Scope: f.Scope,
		Absent:  []AbsentValue{{"any absence", "the columns that decide", "NO_DATA"}},
		Sources: []string{"the audit configuration"},
	}
	if f.When.text != "" {
		c.Rule += " NOT_APPLICABLE unless " + inline(f.When.text) + "."
	}
	if c.Subject == "" {
		c.Subject = SubjectCredential
	}
	for _, n := range r.holds.facts {
		for _, name := range n.fact.names(n.object) {
			if !slices.Contains(c.Columns, name) {
				c.Columns = append(c.Columns, name)
			}
		}
	}
	for _, q := range f.Requirements {
		c.Requirements = append(c.Requirements, Requirement{Standard: Standard(q.Standard), ID: q.ID})
	}
	return c
}

// names returns the names of the columns of a fact, for both places.
func (f *fact) names(object string) []string {
	var names []string
	places := map[string][]int{"password": {0}, "key": {1, 2}, "certificate": {3, 4}}[object]
	if places == nil {
		places = []int{0}
	}
	for _, at := range places {
		s := &sight{credentials: blank}
		names = append(names, columnNames(f.blame(objectAt(object, s, at)))...)
	}
	return names
}

func objectAt(name string, s *sight, at int) *object {
	return &object{kind: objectTypes[name], sight: s, at: at}
}

// compileMessage splits a message at its braces. The text within them is an
// expression.
func (r *own) compileMessage(scope Scope, text string) error {
	for rest := inline(text); rest != ""; {
		before, after, found := strings.Cut(rest, "{")
		r.template += before
		if !found {
			return nil
		}
		e, behind, err := compileBraces(scope, after)
		if err != nil {
			return err
		}
		r.message = append(r.message, messagePart{value: e})
		r.template += "{value}"
		rest = behind
	}
	return nil
}

// compileBraces compiles the expression that text begins with, and returns the text
// behind its closing brace. An expression may contain braces of its own. So the
// expression ends at the first closing brace at which it is complete.
func compileBraces(scope Scope, text string) (e *expression, behind string, err error) {
	for end := 0; ; end++ {
		at := strings.IndexByte(text[end:], '}')
		switch {
		case at < 0 && err == nil:
			return nil, "", errors.New("a { has no }")
		case at < 0:
			return nil, "", err // that of the first closing brace
		}
		end += at
		of, failed := compile(scope, text[:end], nil)
		if failed == nil {
			return of, text[end+1:], nil
		}
		if err == nil {
			err = fmt.Errorf("{%s}: %w", text[:end], failed)
		}
	}
}

// decodeKnown decodes a mapping into a struct. Unknown keys are an error: decoding
// within UnmarshalYAML would ignore them.
func decodeKnown[T any](node *yaml.Node, into *T) error {
	if err := knownKeys(node, reflect.TypeFor[T]()); err != nil {
		return err
	}
	return node.Decode(into)
}

// knownKeys returns an error for keys of a mapping that have no field in a
// struct.
func knownKeys(node *yaml.Node, t reflect.Type) error {
	keys := keysOf(t, t.String())
	var errs []string
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i]; !slices.Contains(keys, key.Value) {
			errs = append(errs, fmt.Sprintf("line %d: key %s is not known%s", key.Line, key.Value,
				words.DidYouMean(key.Value, keys)))
		}
	}
	if errs != nil {
		return &yaml.TypeError{Errors: errs}
	}
	return nil
}
