package console

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/judged"
	"rollcall/internal/words"
	"rollcall/report"
)

// reportTable is the data of the report's table and its filters.
type reportTable struct {
	Filters []choice
	Text    string
	Columns []columnChoice
	Keep    []pair // further values that the form sends
	Clear   string // the address without filters, "" if there are none
	Found   string
	Chips   []chip
	Whole   []findingLine
	Head    []headCell
	Rows    []tableRow
	Pages   pages
}

type columnChoice struct {
	Name, Title string
	Shown       bool
}

// headCell is the head of a column. Sort is the address that sorts by the
// column.
type headCell struct {
	Text, Title, Sort string
	Sorted            string // ascending or descending
}

type tableRow struct {
	User, Link string
	Root       bool
	Verdicts   []findingLine
	Cells      []tableCell
}

// tableCell is a cell of the report. If a finding concerns the cell, Mark is
// the style of its verdict and Why is the reason.
type tableCell struct {
	Label     string
	Text      string
	Time      string // RFC 3339, if the cell is a date
	Dim       bool
	Mark, Why string
}

// pages links to the pages of a list of known length.
type pages struct {
	From, To, Of string
	First, Prev  string
	Next         string
}

// defaultColumns are shown if the query names none.
var defaultColumns = []string{
	"password_enabled", "password_last_used", "mfa_active", "access_key_1_active", "access_key_1_last_rotated",
	"access_key_1_last_used_date", "access_key_2_active", "access_key_2_last_rotated", "access_key_2_last_used_date",
}

// columnTitles returns a short head for a column of the report.
func columnTitle(name string) string {
	short := strings.NewReplacer(
		"access_key_", "key ", "_last_rotated", " created", "_last_used_date", " used", "_last_used_region", " region",
		"_last_used_service", " service", "password_last_changed", "password changed",
		"password_last_used", "password used", "password_next_rotation", "password expires",
		"password_enabled", "password", "mfa_active", "MFA", "_active", "", "user_creation_time", "created",
		"cert_", "certificate ", "additional_credentials_info", "more credentials", "arn", "ARN",
	).Replace(name)
	return strings.ToUpper(short[:1]) + short[1:]
}

// columns returns the requested columns in the order of the report.
func (v *visit) columns() (shown []report.Column) {
	asked := v.r.URL.Query()["col"]
	if len(asked) == 0 {
		asked = defaultColumns
	}
	for _, c := range report.KnownColumns() {
		if c.Name != "user" && slices.Contains(asked, c.Name) {
			shown = append(shown, c)
		}
	}
	return shown
}

// rowsPerPage limits the size of a page: the wider the rows, the fewer.
func rowsPerPage(columns int) int {
	if columns > 12 {
		return 25
	}
	return 40
}

// reportTable finds the rows to show.
func (v *visit) reportTable(f tableForm, all *judged.Report) (*reportTable, error) {
	found := all.Search(f.query)
	per := rowsPerPage(len(f.columns))
	last := max(1, (len(found.Rows)+per-1)/per)
	f.page = min(f.page, last)
	from := (f.page - 1) * per
	shown := found.Rows[from:min(len(found.Rows), from+per)]
	rows, err := all.Rows(v.r.Context(), shown)
	if err != nil {
		return nil, err
	}
	t := &reportTable{
		Text: f.query.Text, Filters: v.filters(&f), Keep: v.keep(), Chips: v.chips(&f.query), Clear: v.clear(),
		Found: foundInWords(&f.query, &found, all.Users()), Head: v.head(&f),
		Pages: v.pagesOf(f.page, last, from, len(shown), len(found.Rows)),
	}
	for i := range found.Whole {
		t.Whole = append(t.Whole, lineOf(&found.Whole[i]))
	}
	for _, c := range report.KnownColumns() {
		if c.Name != "user" {
			t.Columns = append(t.Columns, columnChoice{c.Name, columnTitle(c.Name), slices.ContainsFunc(f.columns,
				func(s report.Column) bool { return s.Name == c.Name })})
		}
	}
	for i := range rows {
		t.Rows = append(t.Rows, v.tableRow(&rows[i], f.columns, all.Account.AsOf))
	}
	return t, nil
}

func (v *visit) tableRow(row *judged.Row, columns []report.Column, asOf time.Time) tableRow {
	r := tableRow{
		User: row.Report.User, Root: row.Report.IsRoot(),
		Link: link(reportUserPath, "name", row.Report.User, "at", v.query("at"), "benchmark", v.query("benchmark")),
	}
	for i := range row.Findings {
		r.Verdicts = append(r.Verdicts, lineOf(&row.Findings[i]))
	}
	for _, c := range columns {
		cell := reportCell(c, &row.Report, asOf)
		for i := range row.Findings { // the most severe comes first
			f := &row.Findings[i]
			if !slices.ContainsFunc(f.Columns, func(b report.Column) bool { return b.Name == c.Name }) {
				continue
			}
			if cell.Why == "" {
				cell.Mark = statusClass(f.Status, f.Suppressed)
				cell.Why = string(f.Control.ID) + " " + statusWord(f.Status) + ": " + f.Reason.String()
			}
		}
		r.Cells = append(r.Cells, cell)
	}
	return r
}

// neverUsed reports whether the column is the last use of a key of the row that
// was never used. Reports say N/A of it, as of a key that does not exist.
func neverUsed(c report.Column, row *report.Row) bool {
	if c.Credential != report.KeyCredential || c.Fact != report.UsedFact {
		return false
	}
	k := row.Keys[c.Slot-1]
	return k.Exists() && k.LastUsed.Absence() == report.NotApplicable
}

// reportCell returns a cell in readable form: a date has its age at the time of
// the report, and a missing value has a word.
func reportCell(c report.Column, row *report.Row, asOf time.Time) tableCell {
	cell := tableCell{Label: columnTitle(c.Name)}
	none := func(a report.Absence) {
		cell.Dim = true
		cell.Text = map[report.Absence]string{
			report.NotApplicable: "–", report.NoInformation: "never", report.NotSupported: "not supported",
		}[a]
		if cell.Text == "" {
			cell.Text = "?"
		}
	}
	switch c.Kind {
	case report.BoolKind:
		switch b := c.Bool(row); {
		case b.IsTrue():
			cell.Text = "yes"
		case b.IsFalse():
			cell.Text, cell.Dim = "no", true
		default:
			none(b.Absence())
		}
	case report.TimeKind:
		t := c.Time(row)
		at, ok := t.Value()
		if !ok {
			none(t.Absence())
			if neverUsed(c, row) {
				cell.Text = "never"
			}
			break
		}
		cell.Time, cell.Text = words.Time(at), aged(at, asOf)
	case report.NameKind:
		cell.Text = row.ARN
	default:
		t := c.Text(row)
		if text, ok := t.Value(); ok {
			cell.Text = text
		} else {
			none(t.Absence())
		}
	}
	return cell
}

// foundInWords counts the results: keys and findings if the query asks for them,
// and their rows.
func foundInWords(q *judged.Query, found *judged.Result, of int) string {
	rows := thousands(len(found.Rows)) + " of " + thousands(of) + " rows"
	switch {
	case q.AsksFindings():
		return counted(found.Findings, "finding") + " in " + rows
	case q.AsksKeys():
		return counted(found.Keys, "key") + " in " + rows
	case len(found.Rows) == of:
		return counted(of, "row")
	}
	return rows
}

// counted is words.Count with grouped digits.
func counted(n int, noun string) string {
	_, noun, _ = strings.Cut(words.Count(n, noun), " ")
	return thousands(n) + " " + noun
}

// thousands returns a number with grouped digits.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// head returns the head of the table. A second click on a column reverses the
// order.
func (v *visit) head(f *tableForm) []headCell {
	q := &f.query
	sorted := q.Sort
	if sorted == "" {
		sorted = "verdict"
	}
	make := func(text, title, name string) headCell {
		c := headCell{Text: text, Title: title}
		if name == "" {
			return c
		}
		turned := ""
		if sorted == name {
			c.Sorted = "ascending"
			if turned = "yes"; q.Turned {
				c.Sorted, turned = "descending", ""
			}
		}
		if c.Sort = v.with("sort", name, "turned", turned, "page", ""); name == "verdict" {
			c.Sort = v.with("sort", "", "turned", turned, "page", "")
		}
		return c
	}
	all := []headCell{make("User", "user", "user"), make("Verdict", "what the audit says of the row", "verdict")}
	for _, c := range f.columns {
		name := ""
		if c.Kind == report.TimeKind {
			name = c.Name
		}
		all = append(all, make(columnTitle(c.Name), c.Name, name))
	}
	return all
}

func (v *visit) pagesOf(page, last, from, shown, of int) pages {
	p := pages{From: thousands(from + 1), To: thousands(from + shown), Of: thousands(of)}
	if page > 1 {
		p.First, p.Prev = v.with("page", ""), v.with("page", strconv.Itoa(page-1))
	}
	if page < last {
		p.Next = v.with("page", strconv.Itoa(page+1))
	}
	if shown == 0 {
		p.From = "0"
	}
	return p
}
