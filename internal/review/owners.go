package review

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Owners assigns reviewers to users. The first rule that matches a user decides,
// then the tag, then Rest.
type Owners struct {
	// Tag is the key of the tag with the reviewer of a user; "" for none.
	Tag string
	// Rest reviews the users without any other reviewer. Deputy reviews those
	// who would review themselves. "" means nobody.
	Rest, Deputy string

	rules []ownerRule
	// people lists the users that belong to a reviewer, by the folded name of the
	// reviewer.
	people map[string][]string
}

// ownerRule assigns a reviewer to users. An empty pattern matches all.
type ownerRule struct {
	Reviewer string `yaml:"reviewer"`
	Account  string `yaml:"account"`
	User     string `yaml:"user"`
	ARN      string `yaml:"arn"`
	Path     string `yaml:"path"`
}

// ownersFile is the YAML form.
type ownersFile struct {
	Version   int                 `yaml:"version"`
	Reviewers []ownerRule         `yaml:"reviewers"`
	Rest      string              `yaml:"rest"`
	Deputy    string              `yaml:"deputy"`
	People    map[string][]string `yaml:"people"`
}

// maxOwners is the largest size of a file of owners.
const maxOwners = 64 << 20

// ReadOwners reads a file of owners. YAML begins with its version; everything
// else is CSV with a column reviewer and any of the columns account, user, arn
// and path.
func ReadOwners(r io.Reader) (Owners, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxOwners+1))
	switch {
	case err != nil:
		return Owners{}, err
	case len(text) > maxOwners:
		return Owners{}, fmt.Errorf("it is longer than %d MiB", maxOwners>>20)
	}
	o := Owners{}
	if isYAML(text) {
		err = o.readYAML(text)
	} else {
		err = o.readCSV(text)
	}
	if err == nil {
		err = o.Validate()
	}
	return o, err
}

// isYAML reports whether the first line that is not a comment has a key of
// YAML.
func isYAML(text []byte) bool {
	for line := range strings.Lines(string(bytes.TrimPrefix(text, []byte("\ufeff")))) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") || line == "---" {
			continue
		}
		key, _, ok := strings.Cut(line, ":")
		return ok && !strings.ContainsAny(key, ",;\t\"")
	}
	return false
}

func (o *Owners) readYAML(text []byte) error {
	var file ownersFile
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&file); err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), " in type "+reflect.TypeFor[ownersFile]().String(), ""))
	}
	if file.Version != version {
		return fmt.Errorf("version is %d, but must be %d", file.Version, version)
	}
	o.rules, o.Rest, o.Deputy = file.Reviewers, file.Rest, file.Deputy
	for reviewer, users := range file.People {
		o.addPeople(reviewer, users)
	}
	return nil
}

func (o *Owners) addPeople(reviewer string, users []string) {
	if o.people == nil {
		o.people = map[string][]string{}
	}
	o.people[fold(reviewer)] = append(o.people[fold(reviewer)], users...)
}

func (o *Owners) readCSV(text []byte) error {
	t, err := readTable(text)
	if err != nil {
		return err
	}
	columns := []string{"reviewer", "account", "user", "arn", "path"}
	for _, name := range t.names {
		if !slices.Contains(columns, name) {
			return fmt.Errorf("line 1: there is no column %q among %s", name, strings.Join(columns, ", "))
		}
	}
	if !t.has("reviewer") {
		return errors.New("line 1: the column reviewer is missing")
	}
	for _, row := range t.rows {
		rule := ownerRule{row.cell("reviewer"), row.cell("account"), row.cell("user"), row.cell("arn"), row.cell("path")}
		if rule.Reviewer == "" {
			return fmt.Errorf("line %d: the reviewer is missing", row.line)
		}
		if strings.ContainsAny(rule.Account, ".eE+") {
			return fmt.Errorf("line %d: %q is not an account: a spreadsheet took the number for a quantity",
				row.line, rule.Account)
		}
		if _, err := strconv.ParseUint(rule.Account, 10, 64); err == nil { // which lost its leading zeros
			rule.Account = strings.Repeat("0", max(0, 12-len(rule.Account))) + rule.Account
		}
		o.rules = append(o.rules, rule)
	}
	return nil
}

// Validate refuses invalid names and patterns.
func (o *Owners) Validate() error {
	for i, r := range o.rules {
		if r.Reviewer == "" {
			return fmt.Errorf("reviewer %d has no name", i+1)
		}
		for _, pattern := range []string{r.Account, r.User, r.ARN, r.Path} {
			if _, err := path.Match(pattern, ""); err != nil {
				return fmt.Errorf("%q is not a pattern with * and ?", pattern)
			}
		}
		if err := checkName(r.Reviewer); err != nil {
			return err
		}
	}
	for _, name := range []string{o.Rest, o.Deputy} {
		if err := checkName(name); name != "" && err != nil {
			return err
		}
	}
	return nil
}

// maxName is the number of characters of a reviewer's name.
const maxName = 128

// checkName refuses an invalid name of a reviewer.
func checkName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return errors.New("a reviewer has no name")
	case strings.TrimSpace(name) != name, !printable(name), utf8.RuneCountInString(name) > maxName:
		return fmt.Errorf("%.200q cannot be the name of a reviewer", name)
	}
	return nil
}

// of returns the reviewer of a user, and says whether it is the user's deputy.
// If there is no reviewer, it returns "" and the reason.
func (o *Owners) of(i *Item, pathOf string, tags map[string]string) (reviewer, why string) {
	reviewer = o.named(i, pathOf, tags)
	switch {
	case reviewer == "":
		return "", "nobody reviews"
	case checkName(reviewer) != nil:
		return "", "the tag " + o.Tag + " names no possible reviewer of"
	case !o.owns(reviewer, i.User):
		return reviewer, ""
	case o.Deputy != "" && !o.owns(o.Deputy, i.User):
		return o.Deputy, ""
	}
	return "", reviewer + " would review"
}

func (o *Owners) named(i *Item, pathOf string, tags map[string]string) string {
	for n := range o.rules {
		if r := &o.rules[n]; r.fits(i, pathOf) {
			return r.Reviewer
		}
	}
	if o.Tag != "" && tags[o.Tag] != "" {
		return tags[o.Tag]
	}
	return o.Rest
}

func (r *ownerRule) fits(i *Item, pathOf string) bool {
	return like(r.Account, i.Account) && like(r.User, i.User) && like(r.ARN, i.ARN) && like(r.Path, pathOf)
}

// like matches a pattern in which * matches any characters, and ? matches one.
// The empty pattern matches all.
func like(pattern, text string) bool {
	if pattern == "" || pattern == "*" || pattern == text {
		return true
	}
	if !strings.ContainsAny(pattern, "*?") {
		return false
	}
	// For path.Match, * ends at a slash. Here a slash is an ordinary character.
	const slash = "\x00"
	ok, err := path.Match(strings.ReplaceAll(pattern, "/", slash), strings.ReplaceAll(text, "/", slash))
	return ok && err == nil
}

// owns reports whether a user is the reviewer, by name or by the people of the
// file.
func (o *Owners) owns(reviewer, user string) bool {
	return isOwn(reviewer, o.people[fold(reviewer)], user)
}

// isOwn reports whether a user is the reviewer. Either the names are equal
// without regard to letter case and to the domain after @, or own has the user.
func isOwn(reviewer string, own []string, user string) bool {
	if local(reviewer) == local(user) {
		return true
	}
	return slices.ContainsFunc(own, func(name string) bool { return fold(name) == fold(user) })
}

func fold(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func local(name string) string {
	before, _, _ := strings.Cut(fold(name), "@")
	if before == "" { // a name that begins with @
		return fold(name)
	}
	return before
}
