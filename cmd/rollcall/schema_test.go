package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"rollcall/docs/schemas"
	"rollcall/internal/hashing"
)

// printed lists, for each command, the schemas of its JSON output. The output must
// fit one of them.
var printed = map[string][]string{
	"rollcall audit":                       {"audit", "audit-finding"},
	"rollcall controls":                    {"controls"},
	"rollcall diff":                        {"diff", "diff-change"},
	"rollcall doctor":                      {"doctor"},
	"rollcall plan":                        {"plan"},
	"rollcall report":                      {"report-rows", "report-row", "report-outcomes", "report-outcome"},
	"rollcall report request":              {"report-request"},
	"rollcall report get":                  {"report-get"},
	"rollcall review status":               {"review-status"},
	"rollcall review check":                {"review-check"},
	"rollcall review compare":              {"review-comparison"},
	"rollcall review verify":               {"review-verified"},
	"rollcall trail query":                 {"trail-query"},
	"rollcall trail verify":                {"trail-verify"},
	"rollcall version":                     {"version"},
	"rollcall account create":              {"account-create"},
	"rollcall account list":                {"account-list"},
	"rollcall account limits":              {"account-limits"},
	"rollcall account reports":             {"account-reports"},
	"rollcall account control-policy list": {"account-control-policies"},
	"rollcall account organization show":   {"account-organization"},
	"rollcall account root-key create":     {"account-root-key"},
	"rollcall account root-key list":       {"account-root-keys"},
	"rollcall review plan":                 {"plan"},
}

// unchecked are outputs of others' schemas, which the tests of package render check,
// and those whose form the user chooses. policyCommand prints a policy as it was given.
var unchecked = []string{"sarif", "ocsf", "asff", "--query"}

const policyCommand = "rollcall account control-policy get"

func schemaOf(name string) (*jsonschema.Schema, error) {
	f, err := schemas.Files.Open(name + ".schema.json")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(name, doc); err != nil {
		return nil, err
	}
	return c.Compile(name)
}

// checkedMain is main. If the command prints JSON that has no schema, or differs from
// its schema, the exit code is 99.
func checkedMain() {
	hashing.Main()
	if _, terminal := width(os.Stdout); terminal {
		main()
	}
	var out bytes.Buffer
	p := &process{stdin: os.Stdin, stdout: io.MultiWriter(os.Stdout, &out), stderr: os.Stderr, env: os.Getenv}
	code := run(interruptible(), p, os.Args[1:])
	if err := checkPrinted(p, os.Args[1:], out.Bytes()); err != nil {
		fmt.Fprintln(os.Stderr, "SCHEMA:", err)
		code = 99
	}
	os.Exit(code)
}

// checkPrinted compares what a command printed with the schemas of the command.
func checkPrinted(p *process, args []string, text []byte) error {
	values := jsonIn(text)
	for _, arg := range args {
		if slices.ContainsFunc(unchecked, func(name string) bool { return strings.Contains(arg, name) }) {
			return nil
		}
	}
	if len(values) == 0 {
		return nil
	}
	c, _, err := commandFor(p, args).Find(args)
	if err != nil {
		return err
	}
	names := printed[c.CommandPath()]
	if c.CommandPath() == policyCommand {
		return nil
	}
	if len(names) == 0 {
		return fmt.Errorf("%s printed JSON and has no schema", c.CommandPath())
	}
	for _, v := range values {
		var wrong error
		fits := slices.ContainsFunc(names, func(name string) bool {
			schema, err := schemaOf(name)
			if err == nil {
				err = schema.Validate(v)
			}
			wrong = errors.Join(wrong, err)
			return err == nil
		})
		if !fits {
			return fmt.Errorf("%s printed JSON that fits no schema of %q: %w", c.CommandPath(), names, wrong)
		}
	}
	return nil
}

// jsonIn returns the JSON objects and lists in a text: one, or one on each line; nil
// for any other text.
func jsonIn(text []byte) (values []any) {
	if text = bytes.TrimSpace(text); len(text) == 0 || text[0] != '{' && text[0] != '[' {
		return nil
	}
	if v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text)); err == nil {
		return []any{v}
	}
	for line := range bytes.Lines(text) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err != nil {
			return nil
		}
		values = append(values, v)
	}
	return values
}

// valid SCHEMA PATTERN compares files, of which there is at least one, with a schema.
// Files of JSON lines have one value on each line.
func valid(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: valid SCHEMA PATTERN")
	}
	schema, err := schemaOf(args[0])
	ts.Check(err)
	files, err := filepath.Glob(ts.MkAbs(args[1]))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("there is no file %s", args[1])
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		ts.Check(err)
		values := jsonIn(text)
		if strings.HasSuffix(file, ".yaml") {
			var v any
			ts.Check(yaml.Unmarshal(text, &v))
			values = []any{plainYAML(v)}
		}
		if len(values) == 0 {
			ts.Fatalf("%s has no JSON", file)
		}
		for _, v := range values {
			if err := schema.Validate(v); (err != nil) != neg {
				ts.Fatalf("%s: %s: %v", args[0], file, err)
			}
		}
	}
}

// plainYAML returns a value of YAML as one of JSON: times become texts.
func plainYAML(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k := range v {
			v[k] = plainYAML(v[k])
		}
	case []any:
		for i := range v {
			v[i] = plainYAML(v[i])
		}
	case interface{ Format(string) string }:
		if day := v.Format("2006-01-02T15:04:05Z07:00"); !strings.HasSuffix(day, "T00:00:00Z") {
			return day
		}
		return v.Format("2006-01-02")
	}
	return v
}

// TestEveryJSONHasASchema checks that every command which can print JSON has a schema,
// and that every schema belongs to a command or to a file.
func TestEveryJSONHasASchema(t *testing.T) {
	t.Parallel()
	files := []string{"audit", "config", "exceptions", "owners", "report-origin", "report-facts", "trail-record",
		"review", "review-item", "review-decisions", "review-pack"}
	p := &process{stdin: strings.NewReader(""), stdout: io.Discard, stderr: io.Discard,
		env: func(string) string { return "" }}
	used := map[string]bool{}
	for _, name := range files {
		used[name] = true
	}
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		output := c.Flags().Lookup("output")
		if output != nil {
			choices, ok := output.Value.(*choice)
			json := ok && slices.ContainsFunc(choices.values, func(v string) bool { return strings.HasPrefix(v, "json") })
			if json && printed[c.CommandPath()] == nil {
				t.Errorf("%s prints JSON and has no schema", c.CommandPath())
			}
			for _, name := range printed[c.CommandPath()] {
				used[name] = true
			}
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand(p))
	entries, err := fs.ReadDir(schemas.Files, ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".schema.json")
		if !used[name] {
			t.Errorf("nothing has the schema %s", e.Name())
		}
		if _, err := schemaOf(name); err != nil {
			t.Error(err)
		}
	}
}
