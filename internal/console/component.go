package console

import (
	"time"

	"rollcall/internal/words"
)

// The data of pages/components.html.

// moment is a date in a cell: its day, its age, and the whole of it on hover.
type moment struct {
	At    string // RFC 3339; "" is none
	Day   string
	Age   string
	Words string // where there is none
}

// when makes a moment. none is shown where there is none.
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
	// Type is that of the input: "" is text, "area" is several lines. "user" is not
	// shown, and tells the browser's password manager whose password the form has.
	Type     string
	Value    string
	Hint     string
	Complete string // autocomplete
	Pattern  string
	Optional bool
	Short    bool // numbers and codes
	Focus    bool
	Max      int
}

// button is a change that a page offers: a form with one button.
type button struct {
	Do     string
	Label  string
	Action string // the address; "" is the page itself
	With   []pair // what is sent beside
	// Denied is AWS's sentence where a policy denies it: the button is shown, and
	// is disabled.
	Denied string
	// Danger changes are for good. Where Name is set, it must be typed.
	Danger bool
	Name   string
	// What says what happens, where a name must be typed.
	What string
}

// pair is a name and a value.
type pair struct{ Name, Value string }

// pager is the way through a list.
type pager struct {
	First, Next string // addresses, "" for none
	Shown       int
}

// paged is the pager of a list that goes on at a marker, nil for none.
func paged(v *visit, shown int, marker *string) pager { return pagedBy(v, "marker", shown, marker) }

// pagedBy is paged for a page with several lists: each goes on at a value of the
// query of its own.
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

// typed says whether the name of what a dangerous change is about was typed.
func (v *visit) typed(name string) error {
	if v.field("typed") != name {
		return &problem{Status: 400, Text: "To confirm, type the name exactly as it is: " + name}
	}
	return nil
}
