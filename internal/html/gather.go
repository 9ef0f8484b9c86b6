package html

import (
	"encoding/json"
	"slices"
	"strconv"

	"rollcall/internal/audit"
	"rollcall/report"
)

// column holds the elements of a JSON array, without its brackets.
type column []byte

func (c *column) number(n int64) {
	if len(*c) > 0 {
		*c = append(*c, ',')
	}
	*c = strconv.AppendInt(*c, n, 10)
}

// text appends a string as JSON that is safe within an HTML element.
func (c *column) text(s string) {
	if len(*c) > 0 {
		*c = append(*c, ',')
	}
	quoted, err := json.Marshal(s)
	if err != nil {
		panic(err) // a string always has JSON
	}
	*c = append(*c, quoted...)
}

// rows is a report in the form of the page: columns with a value for each user,
// credential or finding. In a column of indexes into strings, 0 means no text.
type rows struct {
	users, credentials, findings int

	name, path, class, created, mfa, line, held column // of a user; held is its number of credentials
	what, state, made, used, region, service    column // of a credential
	found                                       column // its number of findings
	control, verdict, cell, reason              column // of a finding
	args                                        column // the numbers in the reasons
	more                                        column // finding, exception, expired exception, key ids, note
	strings                                     column
	index                                       map[string]int64
}

// The subjects of lines. The second key and the second certificate follow the
// first.
const (
	whole = iota // the user, or the report
	password
	key1
	key2
	cert1
	cert2
	numWhats
)

// The cells of a line that a finding may mark.
const (
	userCell = iota
	credentialCell
	stateCell
	madeCell
	usedCell
	whereCell
	mfaCell
)

// Bits of a finding's verdict. The bits below them hold its status.
const (
	severityShift = 3
	suppressedBit = 1 << 6
	approxBit     = 1 << 7
	wholeBit      = 1 << 8 // it is about the user, even on the line of a credential
)

// Row adds a row of the report. It is a visit function for [audit.Auditor.Audit],
// and returns no error. It does not keep the row's memory.
func (r *Report) Row(row *audit.Row) error {
	if row.Report != nil {
		r.add(row, row.Report, credentials(row.Report))
		return nil
	}
	// These findings concern the report, or a root without a row.
	for rest := *row; len(rest.Findings) > 0; {
		user, n := rest.Findings[0].User, 0
		for n < len(rest.Findings) && rest.Findings[n].User == user {
			n++
		}
		some := audit.Row{Line: rest.Line, Class: rest.Findings[0].Class, Findings: rest.Findings[:n]}
		nobody := report.Row{User: user, Created: report.None(report.MissingColumn),
			MFAActive: report.NoBool(report.MissingColumn)}
		r.add(&some, &nobody, [numWhats]bool{})
		rest.Findings = rest.Findings[n:]
	}
	return nil
}

// add adds a line for each credential that is shown or has findings.
func (r *Report) add(row *audit.Row, user *report.Row, shown [numWhats]bool) {
	for i := range row.Findings {
		if f := &row.Findings[i]; f.Credential.Kind != audit.NoCredential && audit.Reported.Has(f.Status) {
			shown[what(f.Credential)] = true
		}
	}
	var found [numWhats][]*audit.Finding
	for i := range row.Findings {
		if f := &row.Findings[i]; audit.Reported.Has(f.Status) {
			w := place(f, &shown)
			found[w], shown[w] = append(found[w], f), true
		}
	}
	if row.Report != nil {
		r.noteKey(&user.Keys[0], found[key1])
		r.noteKey(&user.Keys[1], found[key2])
		r.notePerson(row)
	}
	n := 0
	for _, is := range shown {
		if is {
			n++
		}
	}
	if n == 0 {
		return
	}
	to := r.blockFor(n, slices.ContainsFunc(found[:], func(f []*audit.Finding) bool { return len(f) > 0 }))
	if to == nil {
		return
	}
	to.user(row, user, n)
	for w, is := range shown {
		if is {
			to.credential(user, w)
			to.find(found[w])
		}
	}
}

// credentials returns which credentials a row shows.
func credentials(row *report.Row) (shown [numWhats]bool) {
	shown[password] = row.PasswordEnabled.IsTrue() || row.PasswordLastUsed.IsPresent()
	for i, k := range row.Keys {
		shown[key1+i] = k.Exists() || k.Active.IsTrue()
	}
	for i, c := range row.Certificates {
		shown[cert1+i] = c.Exists() || c.Active.IsTrue()
	}
	return shown
}

func what(c audit.Credential) int {
	second := 0
	if c.Slot == 2 {
		second = 1
	}
	switch c.Kind {
	case audit.Password:
		return password
	case audit.AccessKey:
		return key1 + second
	case audit.Certificate:
		return cert1 + second
	}
	return whole
}

// place returns the line of a finding. A finding about a whole user belongs to the
// line of the credential whose column it blames, if there is such a line.
func place(f *audit.Finding, shown *[numWhats]bool) int {
	w := what(f.Credential)
	if w != whole || len(f.Columns) == 0 {
		return w
	}
	switch column := f.Columns[0]; column.Fact {
	case report.MFAFact: // which goes with a password
		w = password
	default:
		w = what(audit.Credential{Kind: column.Credential, Slot: column.Slot})
	}
	if !shown[w] {
		return whole
	}
	return w
}

func (s *rows) user(row *audit.Row, u *report.Row, credentials int) {
	s.users++
	s.name.text(u.User)
	s.class.number(int64(row.Class))
	s.line.number(int64(row.Line))
	s.created.number(pageTime(u.Created))
	s.mfa.number(truth(u.MFAActive))
	s.held.number(int64(credentials))
	if u.ARN == "" || u.ARN == arn(u) {
		s.path.number(s.intern(u.Path()))
	} else {
		s.path.number(-s.intern(u.ARN))
	}
}

// arn returns the ARN that the page derives from a name and a path.
func arn(u *report.Row) string {
	resource := "root"
	if !u.IsRoot() {
		resource = "user" + u.Path() + u.User
	}
	return "arn:" + u.Partition() + ":iam::" + u.AccountID() + ":" + resource
}

func (s *rows) credential(u *report.Row, w int) {
	s.credentials++
	state, made, used := report.NoBool(report.MissingColumn), report.None(report.MissingColumn),
		report.None(report.MissingColumn)
	var region, service string
	switch w {
	case whole:
	case password:
		state, made, used = u.PasswordEnabled, u.PasswordLastChanged, u.PasswordLastUsed
	case key1, key2:
		k := &u.Keys[w-key1]
		state, made, used = k.Active, k.LastRotated, k.LastUsed
		region, _ = k.LastUsedRegion.Value()
		service, _ = k.LastUsedService.Value()
	default:
		c := &u.Certificates[w-cert1]
		state, made = c.Active, c.LastRotated
	}
	s.what.number(int64(w))
	s.state.number(truth(state))
	s.made.number(pageTime(made))
	s.used.number(pageTime(used))
	s.region.number(s.intern(region))
	s.service.number(s.intern(service))
}

func (s *rows) find(found []*audit.Finding) {
	s.found.number(int64(len(found)))
	for _, f := range found {
		verdict := int64(f.Status) | int64(f.Severity)<<severityShift
		if f.Suppressed {
			verdict |= suppressedBit
		}
		if f.Approximate {
			verdict |= approxBit
		}
		if f.Credential.Kind == audit.NoCredential {
			verdict |= wholeBit
		}
		s.control.number(s.intern(string(f.Control.ID)))
		s.verdict.number(verdict)
		s.cell.number(int64(marked(f)))
		s.reason.number(s.intern(s.template(f.Reason)))
		if f.Exception != "" || f.ExpiredException != "" || len(f.KeyIDs) > 0 || f.Note != "" {
			s.more.number(int64(s.findings))
			s.more.number(s.intern(f.Exception))
			s.more.number(s.intern(f.ExpiredException))
			s.more.number(s.intern(words(f.KeyIDs)))
			s.more.number(s.intern(f.Note))
		}
		s.findings++
	}
}

// intern returns the index of a text in the strings, and 0 for an empty text.
func (s *rows) intern(text string) int64 {
	if text == "" {
		return 0
	}
	i, ok := s.index[text]
	if !ok {
		i = int64(len(s.index)) + 1
		s.index[text] = i
		s.strings.text(text)
	}
	return i
}

// pageTime returns a time in seconds since 1970, or the negative of an absence.
// Times before 1970 are below the absences.
func pageTime(t report.Time) int64 {
	sec, ok := t.Unix()
	switch {
	case !ok:
		return absent(t.Absence())
	case sec < 0:
		return sec + absent(lastAbsence)
	}
	return sec
}

// truth returns 1, 0, or an absence like pageTime.
func truth(b report.Bool) int64 {
	switch {
	case b.IsTrue():
		return 1
	case b.IsFalse():
		return 0
	}
	return absent(b.Absence())
}

const lastAbsence = report.Malformed

// absent returns -1 for N/A, -2 for no_information, -3 for not_supported, -4 for a
// missing column, and -5 for an unreadable cell.
func absent(a report.Absence) int64 {
	if a == report.NotApplicable {
		return -1
	}
	return -int64(a)
}
