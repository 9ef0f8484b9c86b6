package audit

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"rollcall/internal/lazyregexp"
)

// Imported is the result of importing another tool's exceptions file.
type Imported struct {
	Exceptions []Exception
	// Notes say what could not be imported, one line each.
	Notes []string
}

// ImportDefaults are the values that a mutelist lacks and every exception
// needs.
type ImportDefaults struct {
	Owner, Ticket string
	Expires       Date
	// AllowWildcards turns the patterns of the mutelist into wildcards.
	// Otherwise they are skipped with a note.
	AllowWildcards bool
}

// prowlerChecks are the checks of Prowler that judge the same as a control.
var prowlerChecks = []struct {
	check   string
	control ControlID
}{
	{"iam_avoid_root_usage", RootUsed},
	{"iam_no_root_access_key", RootActiveKey},
	{"iam_root_hardware_mfa_enabled", RootHardwareMFA},
	{"iam_root_mfa_enabled", RootMFA},
	{"iam_rotate_access_key_90_days", KeyAge},
	{"iam_user_accesskey_unused", KeyUnused},
	{"iam_user_console_access_unused", PasswordUnused},
	{"iam_user_mfa_enabled_console_access", ConsoleMFA},
	{"iam_user_no_setup_initial_access_key", KeyAtSetup},
	{"iam_user_two_active_access_key", OneActiveKey},
}

type mutelistFile struct {
	Mutelist struct {
		Accounts map[string]struct {
			Checks map[string]muted `yaml:"Checks"`
		} `yaml:"Accounts"`
	} `yaml:"Mutelist"`
}

type muted struct {
	Regions     []string  `yaml:"Regions"`
	Resources   []string  `yaml:"Resources"`
	Tags        []string  `yaml:"Tags"`
	Exceptions  yaml.Node `yaml:"Exceptions"`
	Description string    `yaml:"Description"`
}

// ImportMutelist turns a mutelist of Prowler into exceptions. It imports the
// entries that can be expressed exactly, and adds a note for all others. A
// condition that narrows an entry cannot be dropped, because the exception
// would excuse more than the entry.
func ImportMutelist(r io.Reader, d ImportDefaults) (*Imported, error) {
	text, err := readFile(r)
	if err != nil {
		return nil, fmt.Errorf("import mutelist: %w", err)
	}
	if d.Owner == "" || d.Ticket == "" || d.Expires.IsZero() {
		return nil, errors.New("import mutelist: give an owner, a ticket and an expiry, which a mutelist does not have")
	}
	var file mutelistFile
	if err := decode(text, &file); err != nil {
		return nil, fmt.Errorf("import mutelist: %w", err)
	}
	if len(file.Mutelist.Accounts) == 0 {
		return nil, errors.New("import mutelist: the file has no Mutelist with Accounts")
	}
	im := importer{defaults: d}
	for _, account := range sortedKeys(file.Mutelist.Accounts) {
		checks := file.Mutelist.Accounts[account].Checks
		for _, check := range sortedKeys(checks) {
			im.entry(account, check, checks[check])
		}
	}
	if len(im.out.Exceptions) > 0 {
		im.out.Notes = append(im.out.Notes,
			"Prowler finds a resource anywhere in a name, so that logs mutes every name with logs in it; "+
				"the exceptions fit whole names alone.")
	}
	return &im.out, validateExceptions(im.out.Exceptions, d.AllowWildcards)
}

type importer struct {
	defaults ImportDefaults
	out      Imported
}

func (im *importer) note(account, check, format string, args ...any) {
	im.out.Notes = append(im.out.Notes, fmt.Sprintf("account %q, check %q: ", account, check)+
		fmt.Sprintf(format, args...))
}

func (im *importer) entry(account, check string, m muted) {
	controls := controlsOfCheck(check)
	switch {
	case len(controls) == 0:
		im.note(account, check, "left out, as no control judges it")
		return
	case len(m.Tags) > 0:
		im.note(account, check, "left out, as reports have no tags to limit it by")
		return
	case len(m.Exceptions.Content) > 0:
		im.note(account, check, "left out, as it has exceptions of its own: name the users it is for")
		return
	case account != "*" && !accountNumber.MatchString(account):
		im.note(account, check, "left out: the account is not a number of 12 digits")
		return
	case account == "*" && !im.defaults.AllowWildcards:
		im.note(account, check, "left out, as it is for all accounts and wildcards are not allowed")
		return
	}
	if len(m.Regions) > 0 && !slices.Contains(m.Regions, "*") {
		im.note(account, check, "its regions %q are dropped, as IAM has none", m.Regions)
	}
	for _, resource := range m.Resources {
		whom, ok := userOfResource(resource)
		if !ok || hasWildcard(whom) && !im.defaults.AllowWildcards {
			im.note(account, check, "resource %q left out, as it is a pattern: name the users it is for", resource)
			continue
		}
		for _, control := range controls {
			im.add(account, control, check, whom, m.Description)
		}
	}
}

func (im *importer) add(account string, control ControlID, check, whom, description string) {
	e := Exception{
		ID:      fmt.Sprintf("prowler-%03d", len(im.out.Exceptions)+1),
		Control: string(control), Account: account,
		Reason: description, Owner: im.defaults.Owner, Ticket: im.defaults.Ticket, Expires: im.defaults.Expires,
	}
	if strings.TrimSpace(e.Reason) == "" {
		e.Reason = "muted in Prowler as " + check
	}
	if strings.HasPrefix(whom, "arn:") {
		e.ARN = whom
	} else {
		e.User = whom
	}
	im.out.Exceptions = append(im.out.Exceptions, e)
}

// controlsOfCheck returns the controls for a check. Its name may be a pattern.
func controlsOfCheck(check string) []ControlID {
	name := textOf(check)
	var controls []ControlID
	for _, p := range prowlerChecks {
		if check != "" && name.fits(p.check) {
			controls = append(controls, p.control)
		}
	}
	return controls
}

// plainResource matches an expression that consists of characters of names, and
// .* for anything.
var plainResource = lazyregexp.New(`^\^?((?:[\w@=,:/<>-]|\.\*|\.|\\\.|\\\+)+)\$?$`)

// userOfResource turns an expression of Prowler into a name or a pattern of
// ours.
func userOfResource(resource string) (string, bool) {
	if resource == "*" {
		return resource, true
	}
	m := plainResource.FindStringSubmatch(resource)
	if m == nil {
		return "", false
	}
	name := strings.NewReplacer(`.*`, `*`, `\.`, `.`, `\+`, `+`).Replace(m[1])
	return name, true
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
