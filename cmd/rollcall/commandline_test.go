package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// everyCommand calls fn with each command and the way to call it.
func everyCommand(t *testing.T, fn func(t *testing.T, c *cobra.Command, path []string)) {
	t.Helper()
	n := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		n++
		path := strings.Fields(c.CommandPath())[1:]
		t.Run(strings.Join(append([]string{"rollcall"}, path...), " "), func(t *testing.T) { fn(t, c, path) })
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	walk(rootCommand(&process{env: func(string) string { return "" }}))
	if n < 40 {
		t.Errorf("only %d commands were walked", n)
	}
}

// ends runs an invalid command line.
func ends(t *testing.T, args []string, want ...string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	p := &process{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr,
		env: func(string) string { return "" }}
	code := run(t.Context(), p, args)
	said := stderr.String()
	if code != exitUsage || stdout.Len() > 0 || strings.Count(said, "\n") != 1 || !strings.HasPrefix(said,
		"rollcall: ") {
		t.Errorf("rollcall %q: code %d, want %d and one line:\n%s%s", args, code, exitUsage, stdout.String(), said)
	}
	for _, text := range want {
		if !strings.Contains(said, text) {
			t.Errorf("rollcall %q says %q, without %q", args, said, text)
		}
	}
	if theirs.MatchString(said) {
		t.Errorf("rollcall %q says in words of a library: %s", args, said)
	}
}

// theirs matches the sentences of cobra, pflag and strconv.
var theirs = regexp.MustCompile(
	`unknown (flag|shorthand|command)|arg\(s\)|invalid argument|needs an argument|bad flag|strconv|time: `)

// TestEveryCommandLine misspells the flags and arguments of every command.
func TestEveryCommandLine(t *testing.T) {
	t.Parallel()
	everyCommand(t, func(t *testing.T, c *cobra.Command, path []string) {
		with := func(more ...string) []string { return append(append([]string{}, path...), more...) }
		help := "(see '" + c.CommandPath() + " --help')"
		ends(t, with("--colours-of-autumn=x"), "there is no flag --colours-of-autumn", help)
		ends(t, with("-Z"), "there is no flag -Z", help)
		c.Flags().VisitAll(func(f *pflag.Flag) { misspell(t, with, f) })
		for _, sub := range c.Commands() {
			name := sub.Name()
			wrong := name[:1] + "x" + name[1:]
			if c.Args != nil && !strings.Contains(c.Use, "[") {
				ends(t, with(wrong), "there is no command '"+c.CommandPath()+" "+wrong+"'", "did you mean "+name+"?",
					help)
			}
		}
		wrongArguments(t, c, with)
	})
}

// misspell gives a flag invalid names and values.
func misspell(t *testing.T, with func(...string) []string, f *pflag.Flag) {
	t.Helper()
	name := "--" + f.Name
	if len(f.Name) > 5 {
		ends(t, with(name[:4]+name[5:]+"=x"), "there is no flag", "did you mean "+name+"?")
	}
	switch v := f.Value.(type) {
	case *choice:
		ends(t, with(name, v.values[0]+"x"), name+" ", v.values[0]+"x", "did you mean ")
		ends(t, with(name), name+" needs a value")
	default:
		if kind := v.Type(); kind != "string" && kind != "stringArray" && kind != "stringSlice" {
			ends(t, with(name+"=much"), name+` "much" is n`)
		}
	}
}

// wrongArguments omits a required argument, and adds one too many.
func wrongArguments(t *testing.T, c *cobra.Command, with func(...string) []string) {
	t.Helper()
	names := strings.Fields(c.Use)[1:]
	needed := 0
	for _, name := range names {
		if !strings.HasPrefix(name, "[") {
			needed++
		}
	}
	some := []string{"one", "two", "three", "four", "five"}
	if needed > 0 {
		ends(t, with(some[:needed-1]...), names[needed-1]+" is missing")
	}
	if group := c.HasSubCommands() && len(names) == 0; !group && !strings.Contains(c.Use, "...") {
		ends(t, with(some[:len(names)+1]...), "argument", some[len(names)])
	}
}

// TestUnusableSettings uses settings with which no service can be reached.
func TestUnusableSettings(t *testing.T) {
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_ACCESS_KEY_ID", "A")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "s")
	into := t.TempDir()
	for _, command := range [][]string{
		{"report"}, {"report", "get"}, {"report", "request"}, {"audit"}, {"plan"},
		{"report", "--into", into}, {"report", "--org", "--into", into},
	} {
		ends(t, append(command, "--endpoint-url", "127.0.0.1:8585"), `the endpoint "127.0.0.1:8585" is not a URL`)
		ends(t, append(command, "--endpoint-url", "http://iam.example.com"), "plain HTTP to another machine")
		ends(t, append(command, "--profile", "nope"), "profile (nope) could not be found")
		ends(t, append(command, "--ca-bundle", "/nonexistent/ca.pem"), "read the CA bundle")
	}
	ends(t, []string{"report", "--profiles", "nope,other"}, "profile (nope) could not be found")
}

// TestExitCodesAreDocumented compares the page of exit codes with the code.
func TestExitCodesAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/exit-codes.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| (\d+) \|`).FindAllStringSubmatch(string(text), -1) {
		listed[row[1]] = true
	}
	for _, code := range []string{"0", "1", "2", "64", "130", "143"} {
		if !listed[code] {
			t.Errorf("docs/exit-codes.md does not list %s", code)
		}
	}
	if len(listed) != 6 {
		t.Errorf("docs/exit-codes.md lists %v", listed)
	}
	// Help with other codes would contradict it.
	everyCommand(t, func(t *testing.T, c *cobra.Command, _ []string) {
		if found := regexp.MustCompile(`\b25[2-5]\b`).FindString(c.Long); found != "" {
			t.Errorf("the help speaks of code %s", found)
		}
	})
}

// TestCommandFor compares each subcommand that is declared alone with the same
// subcommand among all others.
func TestCommandFor(t *testing.T) {
	usage := func(root *cobra.Command, name string) string {
		c, _, err := root.Find([]string{name})
		if err != nil || c == root {
			t.Fatalf("there is no command %s: %v", name, err)
		}
		return c.UsageString()
	}
	p := &process{env: func(string) string { return "" }}
	all := rootCommand(p)
	for _, c := range commands {
		alone := commandFor(p, []string{c.name, "--help"})
		if n := len(alone.Commands()); n != 1 {
			t.Errorf("%s is declared with %d commands, want 1", c.name, n)
		}
		if got, want := usage(alone, c.name), usage(all, c.name); got != want {
			t.Errorf("alone, %s says\n%s\nwant\n%s", c.name, got, want)
		}
	}
	for _, args := range [][]string{nil, {"--help"}, {"help", "dev"}, {"__complete", "d"}, {"dex"}} {
		if got, want := len(commandFor(p, args).Commands()), len(all.Commands()); got != want {
			t.Errorf("%q declares %d commands, want %d", args, got, want)
		}
	}
}

// TestHelpFits checks that the help of every command fits into 80 columns.
func TestHelpFits(t *testing.T) {
	everyCommand(t, func(t *testing.T, c *cobra.Command, path []string) {
		var out bytes.Buffer
		if code := run(t.Context(), &process{stdin: strings.NewReader(""), stdout: &out, stderr: io.Discard,
			env: func(string) string { return "" }}, append(path, "--help")); code != 0 {
			t.Fatal(code)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
				t.Errorf("%d columns: %s", n, line)
			}
		}
	})
}
