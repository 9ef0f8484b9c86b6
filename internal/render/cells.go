package render

import (
	"time"

	"rollcall/internal/grid"
	"rollcall/internal/words"
	"rollcall/report"
)

// legend explains the signs for missing values.
const legend = "– means none, ? means not known."

// clockTolerance is the time by which clocks may differ.
const clockTolerance = time.Hour

// age returns the time from at to asOf, or from asOf to at if at is later.
func age(asOf, at time.Time) string {
	if ahead := at.Sub(asOf); ahead > clockTolerance {
		return words.ShortAge(ahead) + " later"
	}
	return words.ShortAge(asOf.Sub(at))
}

func ago(asOf, at time.Time) string {
	if at.Sub(asOf) > clockTolerance {
		return age(asOf, at)
	}
	return age(asOf, at) + " ago"
}

// since returns the age of a time, or the text for its absence.
func since(t report.Time, asOf time.Time, never string) grid.Cell {
	at, ok := t.Value()
	switch {
	case ok:
		return grid.Cell{Text: age(asOf, at)}
	case t.Absence() == report.NotApplicable:
		return grid.Cell{Text: never, Style: grid.Dim}
	case t.Absence() == report.NoInformation:
		return grid.Cell{Text: "never", Style: grid.Odd}
	}
	return grid.Unknown
}

func user(r *report.Row, _ time.Time) grid.Cell { return grid.Text(r.User) }

func created(r *report.Row, asOf time.Time) grid.Cell { return since(r.Created, asOf, grid.Nothing) }

// password shows whether there is one, and when it was last used.
func password(r *report.Row, asOf time.Time) grid.Cell {
	used, ever := r.PasswordLastUsed.Value()
	switch {
	case r.PasswordEnabled.IsFalse():
		return grid.None
	case ever:
		return grid.Cell{Text: "used " + age(asOf, used)}
	case r.PasswordLastUsed.Absence() == report.NoInformation:
		return grid.Cell{Text: "never used", Style: grid.Odd}
	case r.PasswordEnabled.IsTrue():
		return grid.Cell{Text: "yes"}
	}
	return grid.Unknown
}

func passwordChanged(r *report.Row, asOf time.Time) grid.Cell {
	if r.PasswordLastChanged.Absence() == report.NotSupported {
		return grid.Unknown
	}
	return since(r.PasswordLastChanged, asOf, grid.Nothing)
}

func passwordRotation(r *report.Row, asOf time.Time) grid.Cell {
	at, ok := r.PasswordNextRotation.Value()
	switch {
	case ok && at.After(asOf):
		return grid.Cell{Text: "in " + words.ShortAge(at.Sub(asOf))}
	case ok:
		return grid.Cell{Text: words.ShortAge(asOf.Sub(at)) + " ago", Style: grid.Bad}
	case r.PasswordNextRotation.Absence() == report.NotSupported:
		return grid.None // root's password does not expire
	}
	return since(r.PasswordNextRotation, asOf, grid.Nothing)
}

func mfa(r *report.Row, _ time.Time) grid.Cell {
	switch {
	case r.MFAActive.IsTrue():
		return grid.Cell{Text: "yes", Style: grid.Good}
	case r.MFAActive.IsFalse() && !r.PasswordEnabled.IsFalse():
		return grid.Cell{Text: "no", Style: grid.Bad}
	case r.MFAActive.IsFalse():
		return grid.Cell{Text: "no", Style: grid.Dim}
	}
	return grid.Unknown
}

// key shows one access key in one cell: its age and last use.
func key(n int) func(*report.Row, time.Time) grid.Cell {
	return func(r *report.Row, asOf time.Time) grid.Cell {
		k := r.Keys[n]
		c := keyAge(n)(r, asOf)
		if !k.Exists() || k.Active.IsFalse() {
			return c
		}
		at, ok := k.LastUsed.Value()
		switch {
		case ok:
			c.Text += ", used " + age(asOf, at)
		case k.LastUsed.Absence() == report.NotApplicable:
			c = grid.Cell{Text: c.Text + ", unused", Style: grid.Odd}
		case k.LastUsed.Absence() == report.Malformed,
			k.LastUsed.Absence() == report.MissingColumn && c.Text != grid.Unknown.Text:
			c.Text += ", used ?"
		}
		return c
	}
}

// keyAge shows a key's age, and whether it is inactive.
func keyAge(n int) func(*report.Row, time.Time) grid.Cell {
	return func(r *report.Row, asOf time.Time) grid.Cell {
		k := r.Keys[n]
		return credential(k.Exists(), k.Known(), k.Active, k.LastRotated, asOf)
	}
}

func credential(exists, known bool, on report.Bool, made report.Time, asOf time.Time) grid.Cell {
	switch {
	case !known:
		return grid.Unknown
	case !exists:
		return grid.None
	}
	c := since(made, asOf, "?")
	switch c.Style = grid.Usual; {
	case on.IsFalse():
		return grid.Cell{Text: "off " + c.Text, Style: grid.Dim}
	case !on.IsTrue() && c.Text != "?":
		return grid.Cell{Text: "? " + c.Text, Style: grid.Odd} // it may be inactive
	}
	return c
}

func keyUsed(n int) func(*report.Row, time.Time) grid.Cell {
	return func(r *report.Row, asOf time.Time) grid.Cell {
		switch k := r.Keys[n]; {
		case !k.Known():
			return grid.Unknown
		case !k.Exists():
			return grid.None
		}
		c := since(r.Keys[n].LastUsed, asOf, "never")
		if c.Text == "never" && r.Keys[n].Active.IsTrue() {
			c.Style = grid.Odd
		}
		return c
	}
}

// keyUse shows the service and the region of a key's last use.
func keyUse(n int) func(*report.Row, time.Time) grid.Cell {
	return func(r *report.Row, _ time.Time) grid.Cell {
		k := r.Keys[n]
		service, ok := k.LastUsedService.Value()
		switch {
		case !k.Known(), !ok && k.Exists() && silent(k.LastUsedService):
			return grid.Unknown
		case !ok:
			return grid.None
		}
		if region, ok := r.Keys[n].LastUsedRegion.Value(); ok {
			service += " " + region
		}
		return grid.Text(service)
	}
}

// silent reports whether a cell has no value, not even one that says that there
// is nothing.
func silent(t report.Text) bool {
	return t.Absence() == report.MissingColumn || t.Absence() == report.Malformed
}

func certificate(n int) func(*report.Row, time.Time) grid.Cell {
	return func(r *report.Row, asOf time.Time) grid.Cell {
		c := r.Certificates[n]
		return credential(c.Exists(), c.Known(), c.Active, c.LastRotated, asOf)
	}
}

// both combines two credentials of a kind in one cell.
func both(one, two func(*report.Row, time.Time) grid.Cell) func(*report.Row, time.Time) grid.Cell {
	return func(r *report.Row, asOf time.Time) grid.Cell {
		a, b := one(r, asOf), two(r, asOf)
		switch {
		case b == grid.None, a == grid.Unknown && b == grid.Unknown:
			return a
		case a == grid.None:
			return b
		case a.Style == grid.Dim && b.Style == grid.Dim:
			return grid.Cell{Text: a.Text + ", " + b.Text, Style: grid.Dim}
		}
		return grid.Cell{Text: a.Text + ", " + b.Text}
	}
}
