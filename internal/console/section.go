package console

// section is a part of a page about one kind of thing: a table, and what can be
// done with its rows.
type section struct {
	ID, Title string
	// Denied is the sentence of AWS where a policy does not let the person see it.
	Denied string
	Notes  []string
	// Document is shown in front of the table.
	Document *documentView
	Findings []documentFinding
	Head     []string // of the columns
	Rows     []row
	Empty    string // shown where there is no row: what to do next
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

// cell is one of its cells: the first one names the row.
type cell struct {
	Text string
	Link string
	Code bool // an id, in type of even width
	When *moment
	// State is a class for what is good ("pass"), or is not ("warn", "fail").
	State string
}

// form is a form that is behind its name until it is opened.
type form struct {
	Title  string
	Do     string
	Submit string
	What   string
	Fields []field
	Check  *check
	Denied string
	Open   bool // as it is after an error
}

// check is a box to tick.
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

// refuse puts into a section why it cannot be seen.
func (s section) refuse(v *visit, err error) section {
	p := v.explain(err)
	return section{ID: s.ID, Title: s.Title, Denied: p.Text}
}
