package show

import (
	"bufio"

	"rollcall/internal/audit"
	"rollcall/internal/audit/diff"
	"rollcall/internal/escape"
	"rollcall/internal/words"
)

// who identifies the subject of a change.
type who struct {
	Account string `json:"account"`
	User    string `json:"user,omitempty"`
	ARN     string `json:"arn,omitempty"`
	Class   string `json:"class,omitempty"`
}

func whoOf(c *diff.Change) who {
	w := who{Account: c.Account.Account, User: c.User, ARN: c.ARN}
	if c.User != "" {
		w.Class = c.Class.String()
	}
	return w
}

type eventJSON struct {
	Type string `json:"type"` // event
	who
	Event      string `json:"event"`
	Severity   string `json:"severity"`
	Title      string `json:"title"`
	Credential string `json:"credential,omitempty"`
	Was        string `json:"was,omitempty"`
	Is         string `json:"is,omitempty"`
	At         string `json:"at,omitempty"`
	Note       string `json:"note,omitempty"`
}

func eventOf(c *diff.Change, e *diff.Event, title string) eventJSON {
	return eventJSON{
		Type: "event", who: whoOf(c), Event: string(e.Kind), Severity: e.Severity.String(), Title: title,
		Credential: e.Credential.ID(), Was: e.Was, Is: e.Is, At: words.ReportTime(e.At), Note: e.Note,
	}
}

type findingJSON struct {
	Type string `json:"type"` // finding
	who
	State       string   `json:"state"`
	Control     string   `json:"control"`
	ControlName string   `json:"control_name"`
	Title       string   `json:"title"`
	Status      string   `json:"status,omitempty"` // empty for a fixed finding
	Was         string   `json:"was,omitempty"`
	Severity    string   `json:"severity"`
	Credential  string   `json:"credential,omitempty"`
	KeyIDs      []string `json:"key_ids,omitempty"`
	Reason      string   `json:"reason"`
	How         string   `json:"how,omitempty"`
	FirstSeen   string   `json:"first_seen"`
	OrEarlier   bool     `json:"or_earlier"`
	Closed      string   `json:"closed,omitempty"`
	Exception   string   `json:"exception,omitempty"`
	Line        int      `json:"line,omitempty"`
	Fingerprint string   `json:"fingerprint"`
}

func findingOf(c *diff.Change, f *diff.Finding) findingJSON {
	return findingJSON{
		Type: "finding", who: whoOf(c), State: f.State.String(), Control: string(f.Control.ID),
		ControlName: f.Control.Name,
		Title:       f.Control.Title, Status: status(f), Was: f.Was, Severity: f.Severity.String(),
		Credential: f.Credential.ID(), KeyIDs: f.KeyIDs, Reason: f.Reason.String(), How: f.How,
		FirstSeen: words.Time(f.FirstSeen), OrEarlier: f.OrEarlier, Closed: words.Time(f.Closed),
		Exception: f.Exception, Line: f.Line, Fingerprint: f.Fingerprint(),
	}
}

type accountJSON struct {
	Type         string          `json:"type,omitempty"` // account
	Account      string          `json:"account"`
	Partition    string          `json:"partition,omitempty"`
	Name         string          `json:"name,omitempty"`
	Status       string          `json:"status"`
	Complete     bool            `json:"complete"`
	Old          *audit.Source   `json:"old,omitempty"`
	New          *audit.Source   `json:"new,omitempty"`
	History      int             `json:"history"`
	NotCompared  []string        `json:"columns_not_compared,omitempty"`
	ProblemCount int             `json:"problem_count"`
	Problems     []audit.Problem `json:"problems,omitempty"`
	Notes        []string        `json:"notes,omitempty"`
	Counts       countsJSON      `json:"counts"`
}

func accountOf(a *diff.Account) accountJSON {
	out := accountJSON{
		Account: a.Account, Partition: a.Partition, Name: a.Name, Status: a.Status.String(), Complete: !a.Incomplete(),
		History: a.History, NotCompared: a.NotCompared, ProblemCount: a.ProblemCount,
		Problems: a.Problems, Notes: a.Notes,
		Counts: countsOf(&a.Counts),
	}
	for _, side := range [...]struct {
		from *audit.Source
		to   **audit.Source
	}{{&a.Old, &out.Old}, {&a.New, &out.New}} {
		if !side.from.Generated.IsZero() {
			*side.to = side.from
		}
	}
	return out
}

// countsJSON contains all states and severities, so that a query need not check
// whether one exists. It contains only those kinds of events that occurred.
type countsJSON struct {
	Users      int                       `json:"users_with_events"`
	Events     map[string]int            `json:"events"`
	Severities map[string]int            `json:"event_severities"`
	Findings   map[string]map[string]int `json:"findings"`
	Suppressed int                       `json:"suppressed"`
}

func countsOf(c *diff.Counts) countsJSON {
	out := countsJSON{
		Users: c.Users, Events: map[string]int{}, Severities: map[string]int{}, Findings: map[string]map[string]int{},
		Suppressed: c.Suppressed,
	}
	for kind, n := range c.Events {
		out.Events[string(kind)] = n
	}
	for severity, n := range c.Severities {
		out.Severities[audit.Severity(severity).String()] = n
	}
	for state := range diff.State(diff.NumStates) {
		of := map[string]int{"total": c.State(state)}
		for severity, statuses := range c.Findings[state] {
			n := 0
			for _, m := range statuses {
				n += m
			}
			of[audit.Severity(severity).String()] = n
		}
		out.Findings[state.String()] = of
	}
	return out
}

// lines writes every change, and then its account, as a JSON object on a line.
type lines struct {
	b       *bufio.Writer
	options Options
	titles  map[audit.EventKind]string
	line    []byte
}

// each calls write for every selected event and finding.
func (l *lines) each(c *diff.Change, write func(v any) error) error {
	if l.titles == nil {
		l.titles = Titles()
	}
	for i := range c.Events {
		if e := &c.Events[i]; e.Severity >= l.options.Least {
			if err := write(eventOf(c, e, l.titles[e.Kind])); err != nil {
				return err
			}
		}
	}
	for i := range c.Findings {
		if f := &c.Findings[i]; l.options.wanted(f) {
			if err := write(findingOf(c, f)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *lines) write(v any) (err error) {
	if l.line, err = escape.AppendJSON(l.line[:0], v); err != nil {
		return err
	}
	_, err = l.b.Write(append(l.line, '\n'))
	return err
}

func (l *lines) Change(c *diff.Change) error { return l.each(c, l.write) }

func (l *lines) Account(a *diff.Account) error {
	out := accountOf(a)
	out.Type = "account"
	return l.write(out)
}

func (l *lines) Close(*Summary) error { return l.b.Flush() }

// endJSON is the end of a document.
type endJSON struct {
	Program  string     `json:"program,omitempty"`
	Complete bool       `json:"complete"`
	Counts   countsJSON `json:"counts"`
}

// document writes one JSON document as the changes come: an account's changes
// are its first member.
type document struct {
	lines
	begun   bool // the current account has begun
	changes int
	after   int // number of accounts so far
}

func (d *document) begin() {
	switch {
	case d.begun:
		return
	case d.after == 0:
		d.b.WriteString("{\n\"version\": 1,\n\"accounts\": [\n")
	default:
		d.b.WriteString(",\n")
	}
	d.b.WriteString("{\"changes\": [")
	d.begun, d.changes = true, 0
}

func (d *document) Change(c *diff.Change) error {
	d.begin()
	return d.each(c, func(v any) (err error) {
		if d.line, err = escape.AppendJSON(d.line[:0], v); err != nil {
			return err
		}
		if d.changes++; d.changes > 1 {
			d.b.WriteByte(',')
		}
		d.b.WriteByte('\n')
		_, err = d.b.Write(d.line)
		return err
	})
}

func (d *document) Account(a *diff.Account) error {
	d.begin()
	line, err := escape.AppendJSON(nil, accountOf(a))
	if err != nil {
		return err
	}
	d.b.WriteString("],\n")
	_, err = d.b.Write(line[1:]) // the object has begun already
	d.begun = false
	d.after++
	return err
}

func (d *document) Close(s *Summary) error {
	if d.after == 0 {
		d.b.WriteString("{\n\"version\": 1,\n\"accounts\": [")
	}
	end, err := escape.AppendJSON(nil, endJSON{d.options.Program, s.Complete(), countsOf(&s.Counts)})
	if err != nil {
		return err
	}
	d.b.WriteString("\n],\n")
	d.b.Write(end[1:])
	d.b.WriteByte('\n')
	return d.b.Flush()
}
