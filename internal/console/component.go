package console

import (
	"time"

	"rollcall/internal/words"
)

// This file has the data of component.templ.

// moment is a date in a cell: its day, its age, and the full date on hover.
type moment struct {
	At    string // RFC 3339; "" is none
	Day   string
	Age   string
	Words string // shown if there is no date
}

// when returns a moment. none is the text if there is no date.
func (v *visit) when(at *time.Time, none string) moment {
	if at == nil || at.IsZero() {
		return moment{Words: none}
	}
	m := moment{At: words.Time(*at), Day: at.UTC().Format(time.DateOnly)}
	if ago := v.now().Sub(*at); ago >= 0 {
		m.Age = words.ShortAge(ago) + " ago"
	} else {
		m.Age = "in " + words.ShortAge(-ago)
	}
	return m
}

// field is a line of a form.
type field struct {
	Name, Label string
	// Type is the type of the input: "" is text, "area" is several lines. "user" is
	// hidden, and tells the browser's password manager whose password the form
	// contains.
	Type     string
	Value    string
	Hint     string
	Complete string // the autocomplete attribute
	Pattern  string
	Optional bool
	Short    bool // numbers and codes
	Focus    bool
	Max      int
}

// button is a change that a page offers, as a form with one button.
type button struct {
	Do     string
	Label  string
	Action string // the address; "" is the page itself
	With   []pair // further values that are sent
	// Denied is AWS's sentence if a policy denies the change: the button is shown
	// and disabled.
	Denied string
	// Danger marks a change that cannot be undone. If Name is set, the user
	// must type it.
	Danger bool
	Name   string
	// What says what the change does, if a name must be typed.
	What string
}

// pair is a name and a value.
type pair struct{ Name, Value string }

// pager links to other pages of a list.
type pager struct {
	First, Next string // addresses, "" for none
	Shown       int
}

// paged returns the pager of a list that continues at a marker, nil for none.
func paged(v *visit, shown int, marker *string) pager { return pagedBy(v, "marker", shown, marker) }

// pagedBy is paged for a page with several lists. Each list continues at its own
// query parameter.
func pagedBy(v *visit, by string, shown int, marker *string) pager {
	p := pager{Shown: shown}
	q := v.r.URL.Query()
	if q.Has(by) {
		q.Del(by)
		p.First = v.r.URL.Path
		if len(q) > 0 {
			p.First += "?" + q.Encode()
		}
	}
	if marker != nil {
		q.Set(by, *marker)
		p.Next = v.r.URL.Path + "?" + q.Encode()
	}
	return p
}

// typed returns an error unless the user typed the name of the thing that a
// dangerous change affects.
func (v *visit) typed(name string) error {
	if v.field("typed") != name {
		return &problem{Status: 400, Text: "To confirm, type the name exactly as it is: " + name}
	}
	return nil
}
