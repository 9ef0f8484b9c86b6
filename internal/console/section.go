package console

// section is a part of a page about one kind of thing: a table and the changes
// that are possible.
type section struct {
	ID, Title string
	// Denied is AWS's sentence if a policy does not let the person see the
	// section.
	Denied string
	Notes  []string
	// Document is shown above the table.
	Document *documentView
	Findings []documentFinding
	Head     []string // of the columns
	Rows     []row
	Empty    string // shown if there are no rows: the next step
	Pager    pager
	Buttons  []button
	Forms    []form
	Links    []entry
}

// row is a line of a section's table.
type row struct {
	Cells   []cell
	Buttons []button
}

// cell is one of its cells. The first one names the row.
type cell struct {
	Text string
	Link string
	Code bool // an id, in a monospaced font
	When *moment
	// State is a style class: "pass" for good, "warn" and "fail" for bad.
	State string
}

// form is a form that is collapsed until the user opens it.
type form struct {
	Title  string
	Do     string
	Submit string
	What   string
	Fields []field
	Check  *check
	Denied string
	Open   bool // open, as it is after an error
}

// check is a checkbox.
type check struct {
	Name, Label string
	On          bool
}

func text(s string) cell  { return cell{Text: s} }
func code(s string) cell  { return cell{Text: s, Code: true} }
func dated(m moment) cell { return cell{When: &m} }
func status(s string) cell {
	if s == "Active" {
		return cell{Text: s, State: "pass"}
	}
	return cell{Text: s, State: "off"}
}

// refuse adds the reason why the section cannot be shown.
func (s section) refuse(v *visit, err error) section {
	p := v.explain(err)
	return section{ID: s.ID, Title: s.Title, Denied: p.Text}
}
