package audit

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/cel-go/common/types"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"rollcall/report"
)

// TestOwnVerdicts compares the verdicts of custom controls of each scope with those
// that CEL's interpreter makes of each target, without tables. It judges many rows with
// one sight, as an audit does.
func TestOwnVerdicts(t *testing.T) {
	tables, decided := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		r, texts := drawOwn(t)
		if r == nil {
			return
		}
		for i := range r.targets {
			if table := r.targets[i].table; table != nil {
				tables++
				decided += len(table.verdicts) - count(table.verdicts, nil) - count(table.verdicts, mustHold)
			}
		}
		s := &sight{credentials: blank, asOf: report.AtUnix(1_767_225_600), account: &Enrichment{}}
		for range 20 {
			s.row = drawRow(t)
			s.facts, s.class = drawFacts(t), rapid.SampledFrom(classes).Draw(t, "class")
			s.credentials.see(s.row)
			s.verdicts = s.verdicts[:0]
			r.judge(s)
			got := slices.Clone(s.verdicts)
			s.verdicts = s.verdicts[:0]
			judgeSlowly(r, s)
			if diff := cmp.Diff(said(s.verdicts), said(got)); diff != "" {
				t.Fatalf("%s: %s of %+v: -CEL +table\n%s", r.scope, texts, s.row, diff)
			}
		}
	})
	if tables < 20 || decided < 200 {
		t.Errorf("there were only %d tables with %d verdicts", tables, decided)
	}
}

func count(all []*verdict, which *verdict) (n int) {
	for _, v := range all {
		if v == which {
			n++
		}
	}
	return n
}

// drawOwn returns a control with the texts of its expressions, or nil if one is not
// valid.
func drawOwn(t *rapid.T) (r *own, texts []string) {
	r = &own{scope: rapid.SampledFrom(Scopes()[:4]).Draw(t, "scope")}
	for _, e := range []**expression{&r.holds, &r.when} {
		if e == &r.when && rapid.Bool().Draw(t, "always") {
			continue
		}
		text := expressions{t, "key"}.test(2)
		switch r.scope {
		case ScopeUser, ScopePassword:
			text = withoutKey.Replace(text)
		case ScopeCertificate:
			text = withoutKey.Replace(ofCertificate.Replace(text))
		}
		var err error
		if *e, err = compile(r.scope, text, types.BoolType); err != nil {
			return nil, nil
		}
		texts = append(texts, text)
	}
	r.aim()
	r.judge = r.judging()
	return r, texts
}

// These make expressions about a key ones about a certificate or a password.
var (
	ofCertificate = strings.NewReplacer("user.keys", "user.certificates", "key.active", "certificate.active",
		"key.created", "certificate.uploaded", "key.age_days", "certificate.age_days", "key.slot", "certificate.slot")
	withoutKey = strings.NewReplacer("key.active", "password.enabled", "key.created", "password.changed", "key.slot",
		"user.keys.size()", "key.last_used_region", "user.arn", "key.", "password.")
)

func drawFacts(t *rapid.T) *UserFacts {
	switch rapid.IntRange(0, 3).Draw(t, "facts") {
	case 0:
		return nil
	case 1:
		return &UserFacts{}
	}
	return &UserFacts{Tags: rapid.MapOf(rapid.SampledFrom([]string{"team", "a"}),
		rapid.SampledFrom([]string{"a", ""})).Draw(t, "tags")}
}

// judgeSlowly is judgeRow without tables, with CEL's interpreter.
func judgeSlowly(r *own, s *sight) {
	found := false
	for i := range r.targets {
		v := r.targets[i].exists(s)
		if v == noTarget {
			continue
		}
		if found = true; v == nil {
			v = r.decide(s, s.objects(nil), &r.targets[i], (*expression).interpret)
		}
		s.addThis(v)
	}
	if !found {
		s.addThis(&r.none)
	}
}

// said returns verdicts as texts.
func said(all []verdict) (texts []string) {
	for _, v := range all {
		texts = append(texts, fmt.Sprint(v.status, v.kind, v.slot, v.why, columnNames(v.columns), v.own != nil))
	}
	return texts
}

// TestTableSizes checks that each row has its place in the table of any cells, and that
// the rows of one place are alike in them.
func TestTableSizes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := cells(rapid.Uint16().Draw(t, "cells")) & allCells
		for c.combinations() > maxTable {
			c &= c - 1
		}
		s := &sight{credentials: blank, row: &report.Row{}}
		seen := map[int]bool{}
		c.each(s, func() { seen[c.number(s)] = true })
		tagged := c.combinations()
		if c&tagsCell != 0 {
			tagged = tagged / meanings * 2 // tags are known or not
		}
		if len(seen) != tagged {
			t.Fatalf("%b has %d combinations, and %d were made", c, tagged, len(seen))
		}
		for range 20 {
			s := &sight{credentials: blank, row: drawRow(t), facts: drawFacts(t),
				class: rapid.SampledFrom(classes).Draw(t, "class")}
			s.credentials.see(s.row)
			if !seen[c.number(s)] {
				t.Fatalf("%b: no place for %+v", c, s.row)
			}
		}
	})
}

// TestLargeTables checks that a control that reads many cells has a table of a bounded
// size.
func TestLargeTables(t *testing.T) {
	const everything = "user.mfa && user.class == 'human' && user.keys.exists(k, k.active && k.used) && " +
		"(password.enabled || user.certificates.exists(c, c.active))"
	for _, scope := range Scopes()[:4] {
		holds, err := compile(scope, everything, types.BoolType)
		if err != nil {
			t.Fatal(err)
		}
		r := &own{scope: scope, holds: holds}
		r.aim()
		for i := range r.targets {
			table := r.targets[i].table
			if table == nil && scope != ScopeUser {
				t.Errorf("%s: there is no table", scope)
			}
			if table != nil && len(table.verdicts) > maxTable {
				t.Errorf("%s: there are %d combinations", scope, len(table.verdicts))
			}
		}
	}
}

// TestPaths checks the paths of users, and what is remembered of one ARN for the next.
func TestPaths(t *testing.T) {
	arns := []string{"", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/a",
		"arn:aws:iam::123456789012:user/a/b",
		"arn:aws:iam::123456789012:user/a/b/c", "arn:aws:iam::123456789012:user/", "arn:aws:iam::123456789012:user",
		"arn:aws:iam::123456789012:username/a", "arn:user/a/:iam::1:user/a/b", "arn:user/a/b",
		"arn:aws:iam::1:user/:user/x/y",
		"arn:aws:iam::123456789012:user//", "arn:aws:iam::12345678901:user/a/b", "arn:::::user/x/"}
	begins := map[string]*expression{}
	for _, begin := range []string{"/a", "/a/", "/", "/a/b/"} {
		e, err := compile(ScopeUser, "user.path.startsWith('"+begin+"')", types.BoolType)
		if err != nil {
			t.Fatal(err)
		}
		begins[begin] = e
	}
	for _, first := range arns {
		for _, second := range arns {
			s := &sight{row: &report.Row{ARN: first}}
			o := s.objects(nil)
			_, _ = o[userObject].path()
			s.row.ARN = second
			path, known := o[userObject].path()
			if want := s.row.Path(); path != want || known != (want != "") {
				t.Errorf("path %q after %q: %q, %t", second, first, path, known)
			}
			for begin, e := range begins {
				is, unknown := e.direct(o)
				if is != strings.HasPrefix(path, begin) || (unknown == nil) != known {
					t.Errorf("path %q after %q begins with %q: %t, %v", second, first, begin, is, unknown)
				}
			}
		}
	}
}
