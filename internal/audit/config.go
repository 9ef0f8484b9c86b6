package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"rollcall/internal/lazyregexp"
	"rollcall/internal/words"
)

// maxFile is the maximum length of a configuration or a list of exceptions.
const maxFile = 16 << 20

// Config is a configuration file.
type Config struct {
	// Profile is the benchmark, "" if the file names none.
	Profile    Standard
	Classes    Classes
	Exceptions []Exception

	text []byte
	own  []*own
}

// configFile holds the content of a file.
type configFile struct {
	Version    int         `yaml:"version"`
	Profile    Standard    `yaml:"profile"`
	Params     Params      `yaml:"params"`
	Classify   classesFile `yaml:"classify"`
	Exceptions []Exception `yaml:"exceptions"`
	Controls   []ownFile   `yaml:"controls"`
}

type classesFile struct {
	Human      []Matcher `yaml:"human"`
	Machine    []Matcher `yaml:"machine"`
	BreakGlass []Matcher `yaml:"break_glass"`
}

type exceptionsFile struct {
	Version    int         `yaml:"version"`
	Exceptions []Exception `yaml:"exceptions"`
}

// UnmarshalYAML reads a matcher in the form of ParseMatcher.
func (m *Matcher) UnmarshalYAML(node *yaml.Node) error {
	got, err := ParseMatcher(node.Value)
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	*m = got
	return nil
}

// ReadConfig reads a configuration: YAML with the keys version, which is 1, profile,
// params, classify, exceptions and controls. Unknown keys are errors, and so are
// wildcards in exceptions unless they are allowed. Errors name the line if possible.
func ReadConfig(r io.Reader, allowWildcards bool) (*Config, error) {
	text, err := readFile(r)
	if err != nil {
		return nil, fmt.Errorf("read audit configuration: %w", err)
	}
	c := &Config{text: text}
	file := configFile{Params: DefaultParams()}
	if err := decode(text, &file); err != nil {
		return nil, fmt.Errorf("read audit configuration: %w", err)
	}
	c.Profile = file.Profile
	c.Classes = Classes(file.Classify)
	c.Exceptions = file.Exceptions
	_, known := FindBenchmark(c.Profile)
	switch {
	case file.Version != 1:
		err = fmt.Errorf("version is %d, but must be 1", file.Version)
	case c.Profile != "" && !known:
		err = fmt.Errorf("there is no profile %q%s", c.Profile, words.DidYouMean(string(c.Profile), BenchmarkIDs()))
	default:
		var invalid error
		c.own, invalid = compileOwn(file.Controls)
		err = errors.Join(file.Params.validate(), validateExceptions(c.Exceptions, allowWildcards), invalid)
	}
	if err != nil {
		return nil, fmt.Errorf("read audit configuration: %w", err)
	}
	return c, nil
}

// Params returns the thresholds of a benchmark, replaced by those of the file.
func (c *Config) Params(b *Benchmark) (Params, error) {
	file := configFile{Params: b.Params}
	if err := decode(c.text, &file); err != nil {
		return Params{}, err
	}
	return file.Params, file.Params.validate()
}

// ReadExceptions reads a file of exceptions: YAML with the keys version and
// exceptions. Otherwise it is like ReadConfig.
func ReadExceptions(r io.Reader, allowWildcards bool) ([]Exception, error) {
	text, err := readFile(r)
	if err != nil {
		return nil, fmt.Errorf("read exceptions: %w", err)
	}
	var file exceptionsFile
	if err := decode(text, &file); err != nil {
		return nil, fmt.Errorf("read exceptions: %w", err)
	}
	if file.Version != 1 {
		return nil, fmt.Errorf("read exceptions: version is %d, but must be 1", file.Version)
	}
	if err := validateExceptions(file.Exceptions, allowWildcards); err != nil {
		return nil, fmt.Errorf("read exceptions: %w", err)
	}
	return file.Exceptions, nil
}

// WriteExceptions writes a file for ReadExceptions.
func WriteExceptions(w io.Writer, list []Exception) error {
	enc := yaml.NewEncoder(w)
	enc.SetIndent(2)
	if err := enc.Encode(exceptionsFile{Version: 1, Exceptions: list}); err != nil {
		return fmt.Errorf("write exceptions: %w", err)
	}
	return enc.Close()
}

func readFile(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("it is longer than %d bytes", maxFile)
	}
	return text, err
}

// decode reads YAML strictly: one document, whose keys all belong to file.
func decode(text []byte, file any) error {
	if err := checkShape(text, reflect.TypeOf(file).Elem()); err != nil {
		return err
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	switch err := dec.Decode(file); {
	case errors.Is(err, io.EOF):
		return errors.New("it is empty")
	case err != nil:
		return plainErrors(err, reflect.TypeOf(file).Elem())
	}
	var more yaml.Node
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return errors.New("it has more than one document")
	}
	return nil
}

// unknownKey matches the YAML package's error that names a key and a Go type.
var unknownKey = lazyregexp.New(`field (\S+) not found in type (\S+)`)

// plainErrors rewrites errors of the YAML package for the user, and suggests
// the key that the user may have meant. file is the type that was read.
func plainErrors(err error, file reflect.Type) error {
	var list *yaml.TypeError
	if !errors.As(err, &list) {
		return err
	}
	var errs []string
	for _, text := range list.Errors {
		if m := unknownKey.FindStringSubmatch(text); m != nil {
			plain := "key " + m[1] + " is not known" + words.DidYouMean(m[1], keysOf(file, m[2]))
			text = strings.Replace(text, m[0], plain, 1)
		}
		errs = append(errs, text)
	}
	return errors.New(strings.Join(errs, "\n"))
}

// keysOf returns the keys of the type with this name, in t or in types that t
// contains.
func keysOf(t reflect.Type, name string) []string {
	if t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	var keys, inner []string
	for f := range t.Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		keys = append(keys, key)
		inner = append(inner, keysOf(f.Type, name)...)
	}
	if t.String() == name {
		return keys
	}
	return inner
}

// validate returns an error for thresholds that make no sense.
func (p *Params) validate() error {
	const most = 100 * 366
	var errs []error
	for _, v := range []struct {
		name         string
		value, least int
	}{
		{"unused_days", p.UnusedDays, 1},
		{"key_max_age_days", p.KeyMaxAgeDays, 1},
		{"key_max_age_days_machine", p.KeyMaxAgeDaysMachine, 1},
		{"rotation_grace_days", p.RotationGraceDays, 0},
		{"root_used_fail_days", p.RootUsedFailDays, 0},
		{"root_used_warn_days", p.RootUsedWarnDays, p.RootUsedFailDays},
		{"setup_window_minutes", p.SetupWindowMinutes, 0},
		{"password_max_age_days", p.PasswordMaxAgeDays, 0},
		{"certificate_max_age_days", p.CertificateMaxAgeDays, 1},
		{"leftover_days", p.LeftoverDays, 1},
		{"leftover_key_days", p.LeftoverKeyDays, 1},
		{"report_max_age_hours", p.ReportMaxAgeHours, 1},
	} {
		if v.value < v.least || v.value > most {
			errs = append(errs,
				fmt.Errorf("params: %s is %d, but must be from %d to %d", v.name, v.value, v.least, most))
		}
	}
	return errors.Join(errs...)
}
