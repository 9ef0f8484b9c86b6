// Package doctor looks for what is wrong with an installation, and says what to
// do about it. It promises:
//
//   - It changes nothing: it creates no file, migrates no schema, and opens the
//     database for reading only.
//   - It works beside a running service, and without one.
//   - No finding has a secret in it.
//   - Each finding that is not OK says what to do.
package doctor

import (
	"context"
	"io/fs"
	"time"

	"rollcall/internal/seal"
	"rollcall/internal/store"
)

// Result says how bad a finding is.
type Result string

// A Fault keeps the service from working, or loses or exposes data. A Warning
// may do so later.
const (
	OK      Result = "ok"
	Warning Result = "warning"
	Fault   Result = "fault"
)

// Finding is the result of one check.
type Finding struct {
	Check  string `json:"check"`
	Result Result `json:"result"`
	Found  string `json:"found"`
	Do     string `json:"do,omitempty"` // empty if the result is OK
}

// Config describes the installation.
type Config struct {
	// Data is the data directory. Store names the database, in this directory or
	// elsewhere, or nothing if the database is unknown.
	Data  string
	Store store.Config
	// MasterFile is the master key file, and Trail the destination of the trail,
	// as trail.Open takes it.
	MasterFile, Trail string
	// Certificate and Key are the files of TLS, both empty without it.
	Certificate, Key string
	// Listen and Admin are the addresses of the API and of the admin listener,
	// which is "off" if there is none.
	Listen, Admin string
	// Settings has the findings about the settings themselves.
	Settings []Finding
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Root is the root of the file system, for the limits of memory.
	Root fs.FS
	// Room is the least that a file system needs. The zero value means
	// DefaultRoom.
	Room Room
}

// examination is one run.
type examination struct {
	Config
	findings []Finding
	store    *store.Inspection // nil if the database cannot be read
	keys     *seal.Keyring     // nil if the secrets cannot be opened
	live     *live             // nil if no service answers
}

// Examine runs all checks. A check that needs what an earlier one could not
// reach is left out.
func Examine(ctx context.Context, c Config) []Finding {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Room == (Room{}) {
		c.Room = DefaultRoom
	}
	x := &examination{Config: c}
	x.settings()
	x.files()
	x.certificate()
	x.database(ctx)
	x.masterKey()
	x.trail()
	x.clock()
	x.disk()
	x.service(ctx)
	x.limits()
	return x.findings
}

// Worst returns the worst result of findings.
func Worst(findings []Finding) Result {
	worst := OK
	for _, f := range findings {
		if f.Result == Fault || worst == OK {
			worst = f.Result
		}
	}
	return worst
}

func (x *examination) ok(check, found string) {
	x.findings = append(x.findings, Finding{Check: check, Result: OK, Found: found})
}

func (x *examination) warn(check, found, do string) {
	x.findings = append(x.findings, Finding{check, Warning, found, do})
}

func (x *examination) fault(check, found, do string) {
	x.findings = append(x.findings, Finding{check, Fault, found, do})
}

// noted counts the findings, so that a check can tell whether it added one.
func (x *examination) noted() int { return len(x.findings) }

func (x *examination) settings() {
	x.findings = append(x.findings, x.Settings...)
	if len(x.Settings) == 0 {
		x.ok("settings", "the settings can be used")
	}
}
