package console

import (
	"fmt"

	"rollcall/internal/policy"
	"rollcall/internal/policy/review"
)

// editor is the form for writing a document.
type editor struct {
	Fields   []field // above the document
	Document string
	Check    *check
	Do       string // the value of the button that saves it
	Submit   string
	Cancel   string // the page to return to
	Denied   string // why the document cannot be saved
	Note     string

	// Place and Fault describe the error in the typed document.
	Place, Fault string
	Around       *documentView
	// Valid says whether the typed document is valid, and Findings are remarks
	// about it.
	Valid    bool
	Findings []documentFinding
}

// documentFinding is a remark about a document and its line.
type documentFinding struct {
	Line int
	Text string
}

// typedInto fills an editor with the typed document, if there is one, and its
// errors. The form keeps its state.
func (e editor) typedInto(v *visit, kind policy.Kind) editor {
	if v.field("do") == "" {
		return e
	}
	text, err := v.document()
	if err != nil {
		e.Document = ""
		return e
	}
	e.Document = text
	at, err := policy.Locate(text, kind)
	if err != nil {
		e.Fault = v.explain(err).Text
	} else if v.problem != nil && v.problem.Code == "MalformedPolicyDocument" {
		found := false
		if at, found = placeOfPrincipal(text, v.problem.Text); found {
			e.Fault = v.problem.Text
		}
	}
	if e.Fault != "" {
		e.Place = fmt.Sprintf("Line %d, column %d", at.Line, at.Column)
		around := showDocument("The place of the error", text)
		if at.Line <= len(around.Lines) {
			around.Lines[at.Line-1].Says = e.Fault
		}
		around = around.excerpt(3, 12, entry{})
		e.Around = &around
		return e
	}
	if v.field("do") == "check" {
		e.Valid = true
		e.Findings = findings(text, kind)
	}
	return e
}

// findings returns remarks about a valid document.
func findings(text string, kind policy.Kind) []documentFinding {
	d, err := policy.Stored(text, kind)
	if err != nil {
		return nil
	}
	var all []documentFinding
	for _, f := range review.Of(d) {
		all = append(all, documentFinding{f.At.Line, f.Text})
	}
	return all
}

// validity says that the document can be read, and announces remarks.
func (e editor) validity() string {
	text := "The document can be read. It is not saved yet."
	if len(e.Findings) > 0 {
		text += " See what is odd about it:"
	}
	return text
}
