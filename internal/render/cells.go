package render

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"

	"rollcall/report"
)

// style is how a piece of text stands out where there is colour.
type style int

const (
	usual style = iota
	dim         // absent
	good
	bad
	odd
	heading
)

var colours = map[style]text.Colors{
	dim: {text.Faint}, good: {text.FgGreen}, bad: {text.FgRed}, odd: {text.FgYellow}, heading: {text.Bold},
}

// cell is a piece of text with its style.
type cell struct {
	text  string
	style style
}

func (c cell) width() int { return text.StringWidth(c.text) }

func (c cell) paint(colour bool) string {
	if !colour || c.style == usual || c.text == "" {
		return c.text
	}
	return colours[c.style].EscapeSeq() + c.text + text.Reset.EscapeSeq()
}

const nothing = "–"

var (
	none    = cell{nothing, dim}
	unknown = cell{"?", odd}
)

// legend says what the signs mean that stand for what is not there.
const legend = "– is none; ? is not told by the report."

// printable is s with everything that is no printable character as an escape.
// User names cannot hold any, but a file that claims to be a report can.
func printable(s string) string {
	clean := true
	for _, r := range s {
		if clean = r != utf8.RuneError && strconv.IsGraphic(r); !clean {
			break
		}
	}
	if clean {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case strconv.IsGraphic(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		i += size
	}
	return b.String()
}

// age is the time since, in the one unit that tells most. Days are never
// folded into months: rules are made in days.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", max(0, d/time.Second))
	case d < time.Hour:
		return fmt.Sprintf("%dm", d/time.Minute)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh", d/time.Hour)
	}
	return fmt.Sprintf("%dd", d/(24*time.Hour))
}

// since is the age of a moment, or what stands for its absence.
func since(t report.Time, asOf time.Time, never string) cell {
	at, ok := t.Value()
	switch {
	case ok:
		return cell{age(asOf.Sub(at)), usual}
	case t.Absence() == report.NotApplicable:
		return cell{never, dim}
	case t.Absence() == report.NoInformation:
		return cell{"never", odd}
	}
	return unknown
}

func user(r *report.Row, _ time.Time) cell { return cell{printable(r.User), usual} }

func created(r *report.Row, asOf time.Time) cell { return since(r.Created, asOf, nothing) }

// password says whether there is one, and when it was last used.
func password(r *report.Row, asOf time.Time) cell {
	used, ever := r.PasswordLastUsed.Value()
	switch {
	case r.PasswordEnabled.IsFalse():
		return none
	case ever:
		return cell{"used " + age(asOf.Sub(used)), usual}
	case r.PasswordLastUsed.Absence() == report.NoInformation:
		return cell{"never used", odd}
	case r.PasswordEnabled.IsTrue():
		return cell{"yes", usual}
	}
	return unknown
}

func passwordChanged(r *report.Row, asOf time.Time) cell {
	if r.PasswordLastChanged.Absence() == report.NotSupported {
		return unknown
	}
	return since(r.PasswordLastChanged, asOf, nothing)
}

func passwordRotation(r *report.Row, asOf time.Time) cell {
	at, ok := r.PasswordNextRotation.Value()
	switch {
	case ok && at.After(asOf):
		return cell{"in " + age(at.Sub(asOf)), usual}
	case ok:
		return cell{age(asOf.Sub(at)) + " ago", bad}
	case r.PasswordNextRotation.Absence() == report.NotSupported:
		return none // root's password does not expire
	}
	return since(r.PasswordNextRotation, asOf, nothing)
}

func mfa(r *report.Row, _ time.Time) cell {
	switch {
	case r.MFAActive.IsTrue():
		return cell{"yes", good}
	case r.MFAActive.IsFalse() && !r.PasswordEnabled.IsFalse():
		return cell{"no", bad}
	case r.MFAActive.IsFalse():
		return cell{"no", dim}
	}
	return unknown
}

// key is one access key in one cell: its age and last use.
func key(n int) func(*report.Row, time.Time) cell {
	return func(r *report.Row, asOf time.Time) cell {
		k := r.Keys[n]
		c := keyAge(n)(r, asOf)
		if !k.Exists() || k.Active.IsFalse() {
			return c
		}
		at, ok := k.LastUsed.Value()
		switch {
		case ok:
			c.text += ", used " + age(asOf.Sub(at))
		case k.LastUsed.Absence() == report.NotApplicable:
			c = cell{c.text + ", unused", odd}
		case k.LastUsed.Absence() == report.Malformed:
			c.text += ", used ?"
		}
		return c
	}
}

// keyAge is a key's age, and whether it is inactive.
func keyAge(n int) func(*report.Row, time.Time) cell {
	return func(r *report.Row, asOf time.Time) cell {
		k := r.Keys[n]
		return credential(k.Exists(), k.Known(), k.Active, k.LastRotated, asOf)
	}
}

func credential(exists, known bool, on report.Bool, made report.Time, asOf time.Time) cell {
	switch {
	case !known:
		return unknown
	case !exists:
		return none
	}
	c := since(made, asOf, "?")
	switch c.style = usual; {
	case on.IsFalse():
		return cell{"off " + c.text, dim}
	case !on.IsTrue() && c.text != "?":
		return cell{"? " + c.text, odd} // it may be inactive
	}
	return c
}

func keyUsed(n int) func(*report.Row, time.Time) cell {
	return func(r *report.Row, asOf time.Time) cell {
		switch k := r.Keys[n]; {
		case !k.Known():
			return unknown
		case !k.Exists():
			return none
		}
		c := since(r.Keys[n].LastUsed, asOf, "never")
		if c.text == "never" && r.Keys[n].Active.IsTrue() {
			c.style = odd
		}
		return c
	}
}

// keyUse is where a key was last used: service and region.
func keyUse(n int) func(*report.Row, time.Time) cell {
	return func(r *report.Row, _ time.Time) cell {
		k := r.Keys[n]
		service, ok := k.LastUsedService.Value()
		switch {
		case !k.Known(), !ok && k.Exists() && silent(k.LastUsedService):
			return unknown
		case !ok:
			return none
		}
		if region, ok := r.Keys[n].LastUsedRegion.Value(); ok {
			service += " " + region
		}
		return cell{printable(service), usual}
	}
}

// silent reports whether a cell says nothing, not even that there is nothing.
func silent(t report.Text) bool {
	return t.Absence() == report.MissingColumn || t.Absence() == report.Malformed
}

func certificate(n int) func(*report.Row, time.Time) cell {
	return func(r *report.Row, asOf time.Time) cell {
		c := r.Certificates[n]
		return credential(c.Exists(), c.Known(), c.Active, c.LastRotated, asOf)
	}
}

// both puts two credentials of a kind into one cell.
func both(one, two func(*report.Row, time.Time) cell) func(*report.Row, time.Time) cell {
	return func(r *report.Row, asOf time.Time) cell {
		a, b := one(r, asOf), two(r, asOf)
		switch {
		case b == none, a == unknown && b == unknown:
			return a
		case a == none:
			return b
		case a.style == dim && b.style == dim:
			return cell{a.text + ", " + b.text, dim}
		}
		return cell{a.text + ", " + b.text, usual}
	}
}
