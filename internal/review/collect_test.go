package review

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// TestCollect accepts good files and remembers the decisions.
func TestCollect(t *testing.T) {
	r := newReview(t)
	collectAll(t, r, started)
	all, err := r.Decisions()
	if err != nil || len(all) != len(r.Items) {
		t.Fatalf("%d, %v", len(all), err)
	}
	bob := all[itemFor(t, r, "bob", kindPassword).Line]
	if bob.Verb != Exception || bob.Expires != "2027-01-31" || bob.Ticket != "SEC-1" || bob.By != "ana@example.com" ||
		!bob.At.Equal(started) {
		t.Errorf("%+v", bob)
	}
	if cmd := all[itemFor(t, r, "=cmd", kindKey).Line]; cmd.Reason != "=A1 is to be renamed" {
		t.Errorf("%+v", cmd)
	}
	s, err := r.Status(started)
	if err != nil || !s.Complete || s.Overdue || s.Reviewers[0].Decisions[Revoke] != 2 {
		t.Errorf("%+v, %v", s, err)
	}
	// The same file, and another one of the same person.
	_, err = r.Collect(t.Context(), "again.csv", good(t, r).text(','), false, started)
	mustContain(t, err, "again.csv was not accepted: this very file was collected on 2026-10-01T08:00:00Z, from ana@")
	other := goodJSON(t, r, nil)
	_, err = r.Collect(t.Context(), "other.json", other, false, started)
	mustContain(t, err, "ana@example.com has answered already, by the file ana.csv")
	if _, err := r.Collect(t.Context(), "other.json", other, true, started.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	all, err = r.Decisions()
	if got := all[itemFor(t, r, "bob", kindPassword).Line]; err != nil || got.Verb != Keep {
		t.Errorf("after another file in its place: %+v, %v", got, err)
	}
}

// TestCollectRefuses refuses everything that does not match the population, each
// with a sentence.
func TestCollectRefuses(t *testing.T) {
	r := newReview(t)
	line := func(user, kind string) string { return itemFor(t, r, user, kind).Line }
	for name, test := range map[string]struct {
		edit func(s *sheet)
		want string
	}{
		"unknown line": {func(s *sheet) { s.rows[1][0] = "r0000" },
			`line 3: "r0000" is no line of the population`},
		"missing line": {func(s *sheet) { s.rows = s.rows[:3] },
			"2 lines of ana@example.com are missing, the first r"},
		"a line twice": {func(s *sheet) { s.rows = append(s.rows, s.rows[0]) }, "was decided on line 2 already"},
		"another's line": {func(s *sheet) { s.rows[0][0] = line("ana", kindPassword) },
			"is for ben@example.com to decide"},
		"altered state": {func(s *sheet) { s.set(t, "svc", "state", "inactive") }, "were altered: state"},
		"altered use": {func(s *sheet) { s.set(t, "svc", "last_used", "2026-01-01") },
			"were altered: last_used"},
		"altered findings": {func(s *sheet) { s.set(t, "bob", "findings", "") }, "were altered: findings"},
		"altered account":  {func(s *sheet) { s.set(t, "bob", "account", two) }, "were altered: account"},
		"no decision":      {func(s *sheet) { s.set(t, "bob", columnDecision, "") }, "line 2: there is no decision"},
		"a wrong decision": {func(s *sheet) { s.set(t, "bob", columnDecision, "kep") }, "did you mean keep?"},
		"keep without reason": {func(s *sheet) {
			s.set(t, "bob", columnDecision, "keep").set(t, "bob", columnExpires, "").set(t, "bob", columnReason, "")
		}, "it is kept although the audit fails it, and the reason is missing"},
		"change without reason": {func(s *sheet) { s.set(t, "=cmd", columnReason, "") }, "it says what must change"},
		"exception without day": {func(s *sheet) { s.set(t, "bob", columnExpires, "") },
			"the last day of the exception is missing"},
		"exception without ticket": {func(s *sheet) { s.set(t, "bob", columnTicket, " ") },
			"the ticket of the exception"},
		"exception in the past": {func(s *sheet) { s.set(t, "bob", columnExpires, "30.9.2026") },
			"expires on 2026-09-30, and the review began on 2026-10-01"},
		"exception forever": {func(s *sheet) { s.set(t, "bob", columnExpires, "2099-01-01") },
			"more than 2 years away"},
		"a day of two readings": {func(s *sheet) { s.set(t, "bob", columnExpires, "4/5/2027") },
			`"4/5/2027" may be 4 May or 5 April`},
		"expires what is kept": {func(s *sheet) { s.set(t, "svc", columnExpires, "2027-01-01") },
			"only an exception expires"},
		"a formula's error": {func(s *sheet) { s.set(t, "svc", columnComment, "#NAME?") },
			"took what was typed for a formula"},
		"another reviewer": {func(s *sheet) { s.set(t, "", columnReviewer, "eve") },
			`"eve" is no reviewer of 2026-Q4`},
		"two reviewers": {func(s *sheet) { s.set(t, "svc", columnReviewer, "ben@example.com") },
			"a file has the lines of one reviewer"},
		"two people": {func(s *sheet) { s.set(t, "svc", columnBy, "ben@example.com") },
			"two people cannot answer in one file"},
		"somebody else": {func(s *sheet) { s.set(t, "", columnBy, "eve@example.com") },
			`decided by "eve@example.com", and the reviewer is`},
		"themselves": {func(s *sheet) { s.set(t, "", columnBy, "BOB@example.com") },
			"BOB@example.com cannot decide about bob, who is the same person"},
		"nobody": {func(s *sheet) { s.set(t, "", columnBy, "") }, "decided_by is empty"},
		"another freeze": {func(s *sheet) { s.set(t, "", columnFreeze, "f00") },
			`it is for the freeze "f00"`},
		"no freeze":      {func(s *sheet) { s.set(t, "", columnFreeze, "") }, "the freeze is missing"},
		"a column twice": {func(s *sheet) { s.names[3] = "line" }, `the column "line" is there twice`},
		"no sheet": {func(s *sheet) { s.names[0] = "x" },
			"it is not a sheet of a review: it has no column \"line\""},
		"nothing": {func(s *sheet) { s.rows = nil }, "it has no decisions"},
	} {
		t.Run(name, func(t *testing.T) {
			s := good(t, r)
			test.edit(s)
			_, err := r.Collect(t.Context(), "ana.csv", s.text(','), false, started)
			mustContain(t, err, test.want)
		})
	}
	for name, test := range map[string]struct {
		edit func(*decisionsJSON)
		want string
	}{
		"no facts":      {func(f *decisionsJSON) { f.Decisions[1].Facts = "" }, "decision 2: facts is missing"},
		"altered facts": {func(f *decisionsJSON) { f.Decisions[0].Facts = "0123456789abcdef" }, "the facts of r"},
		"unknown":       {func(f *decisionsJSON) { f.Decisions[0].Line = "x" }, `decision 1: "x" is no line`},
		"themselves":    {func(f *decisionsJSON) { f.DecidedBy = "bob" }, "bob cannot decide about bob"},
		"another kind":  {func(f *decisionsJSON) { f.Kind = "x" }, `its kind is "x"`},
		"a later form":  {func(f *decisionsJSON) { f.Version = 2 }, "its version is 2"},
	} {
		t.Run("JSON "+name, func(t *testing.T) {
			_, err := r.Collect(t.Context(), "ana.json", goodJSON(t, r, test.edit), false, started)
			mustContain(t, err, test.want)
		})
	}
	for text, want := range map[string]string{
		"":                           "it is empty",
		"PK\x03\x04":                 "save the sheet as 'CSV UTF-8'",
		"<!DOCTYPE html><p>":         "it is the page of a sheet",
		"line\n\xff":                 "it is not in UTF-8",
		"line\n\x00":                 "it is not a text file",
		"line,freeze\n\"a":           "a quotation mark is in the wrong place",
		"{":                          "it is not JSON that was written by a review",
		`{"kind":"rollcall-review"}`: `its kind is "rollcall-review", but must be "rollcall-review-decisions"`,
	} {
		_, err := r.Collect(t.Context(), "x", []byte(text), false, started)
		mustContain(t, err, want)
	}
	if c, err := r.Collected(); err != nil || len(c.Files) != 0 {
		t.Errorf("something was accepted: %+v, %v", c, err)
	}
}

// TestSpreadsheets accepts what spreadsheets do to a sheet that nobody changed.
func TestSpreadsheets(t *testing.T) {
	utf16 := func(text []byte) []byte {
		out := []byte("\xff\xfe")
		for _, u := range utf16.Encode([]rune(string(text))) {
			out = binary.LittleEndian.AppendUint16(out, u)
		}
		return out
	}
	r := newReview(t)
	for name, change := range map[string]func(s *sheet) []byte{
		"semicolons": func(s *sheet) []byte { return s.text(';') },
		"tabs":       func(s *sheet) []byte { return utf16(s.text('\t')) },
		"a mark":     func(s *sheet) []byte { return append([]byte("\ufeff"), s.text(',')...) },
		"CRLF":       func(s *sheet) []byte { return bytes.ReplaceAll(s.text(','), []byte("\n"), []byte("\r\n")) },
		"CR":         func(s *sheet) []byte { return bytes.ReplaceAll(s.text(','), []byte("\n"), []byte("\r")) },
		"sep":        func(s *sheet) []byte { return append([]byte("sep=;\r\n"), s.text(';')...) },
		"empty rows and columns": func(s *sheet) []byte {
			return append(bytes.ReplaceAll(s.text(';'), []byte("\n"), []byte(";;\n")), ";;;;\n;;;\n"...)
		},
		"dates": func(s *sheet) []byte {
			s.set(t, "bob", columnExpires, "31.01.2027 00:00")
			return s.set(t, "=cmd", "last_used", "30.09.2026 06:00").set(t, "=cmd", "created", "9/21/2026 6:00").text(';')
		},
		"accounts":    func(s *sheet) []byte { return s.set(t, "", "account", "1,11111E+11").text(';') },
		"upper case":  func(s *sheet) []byte { return s.set(t, "svc", columnDecision, "REVOKE").text(',') },
		"apostrophes": func(s *sheet) []byte { return s.set(t, "=cmd", "user", "=cmd").text(',') },
		"fewer facts": func(s *sheet) []byte { s.names[s.column(t, "findings")] = "notes"; return s.text(',') },
	} {
		t.Run(name, func(t *testing.T) {
			answers, _, problems := r.read(change(good(t, r)))
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			for _, a := range answers {
				if a.Verb == Exception && a.Expires != "2027-01-31" {
					t.Errorf("%+v", a.Decision)
				}
			}
		})
	}
}

// FuzzDecisions reads any file without a panic, and accepts only decisions that
// are whole.
func FuzzDecisions(f *testing.F) {
	r := newReview(f)
	f.Add(good(f, r).text(','))
	f.Add(good(f, r).text(';'))
	f.Add(goodJSON(f, r, nil))
	for _, s := range []string{"", "sep=;\nline", "\xff\xfel\x00", "{}", "[", "line,line", "\"", "a;b\r\"c\""} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		answers, of, problems := r.read(text)
		if len(problems) > 0 {
			for _, p := range problems {
				if p == "" || strings.Contains(p, "json:") || strings.Contains(p, "*review.") {
					t.Errorf("%q", p)
				}
			}
			return
		}
		if len(answers) != of.Items {
			t.Errorf("%d answers of %s, who has %d lines", len(answers), of.Name, of.Items)
		}
		for _, a := range answers {
			if i := r.item(a.Line); i == nil || i.Reviewer != of.Name || isOwn(of.Name, of.Own, i.User) {
				t.Errorf("%+v", a)
			}
		}
	})
}

// FuzzOwners reads any file of owners without a panic.
func FuzzOwners(f *testing.F) {
	for _, s := range []string{
		ownersText, "version: 1\nrest: a", "version: 1\nreviewers: [{reviewer: a, user: '['}]", "a;b",
		"reviewer\n\"=1\"\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		o, err := ReadOwners(strings.NewReader(text))
		if err != nil {
			return
		}
		i := &Item{Account: one, User: "ana", ARN: "arn:aws:iam::" + one + ":user/ana"}
		if name, _ := o.of(i, "/", nil); name != "" && isOwn(name, o.people[fold(name)], i.User) {
			t.Errorf("%q reviews ana", name)
		}
	})
}
