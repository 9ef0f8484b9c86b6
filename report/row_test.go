package report_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/report"
)

func TestRowARN(t *testing.T) {
	for _, tt := range []struct {
		user, arn                string
		root                     bool
		partition, account, path string
	}{
		{"Bill", "arn:aws:iam::123456789012:user/Bill", false, "aws", "123456789012", "/"},
		{"Bill", "arn:aws-cn:iam::123456789012:user/a/b/Bill", false, "aws-cn", "123456789012", "/a/b/"},
		{"Bill", "arn:aws:iam::123456789012:user/a:b/Bill", false, "aws", "123456789012", "/a:b/"},
		{"<root_account>", "arn:aws-us-gov:iam::123456789012:root", true, "aws-us-gov", "123456789012", ""},
		{"root_account", "arn:aws:iam::123456789012:root", true, "aws", "123456789012", ""},
		{"root_account", "arn:aws:iam::123456789012:user/root_account", false, "aws", "123456789012", "/"},
		{"root", "arn:aws:iam::123456789012:user/root", false, "aws", "123456789012", "/"},
		{"<root_account>", "", true, "", "", ""},
		{"x", "arn:aws:iam::123456789012", false, "", "", ""},
		{"x", "not an arn:a:b:c:d:root", false, "", "", ""},
	} {
		t.Run(tt.user+" "+tt.arn, func(t *testing.T) {
			r := report.Row{User: tt.user, ARN: tt.arn}
			if r.IsRoot() != tt.root {
				t.Errorf("IsRoot = %t", r.IsRoot())
			}
			got := []string{r.Partition(), r.AccountID(), r.Path()}
			if diff := cmp.Diff([]string{tt.partition, tt.account, tt.path}, got); diff != "" {
				t.Errorf("partition, account, path:\n%s", diff)
			}
		})
	}
}

func TestKeyExists(t *testing.T) {
	date := at("2026-09-11T13:14:52Z")
	for name, tt := range map[string]struct {
		key  report.Key
		want bool
	}{
		"none":                {report.Key{}, false},
		"active":              {report.Key{Active: report.True, LastRotated: date}, true},
		"inactive keeps date": {report.Key{LastRotated: date}, true},
		"active without date": {report.Key{Active: report.True, LastRotated: report.None(report.Malformed)}, true},
		"columns missing": {
			report.Key{Active: report.NoBool(report.MissingColumn), LastRotated: report.None(report.MissingColumn)},
			false},
	} {
		c := report.Certificate{Active: tt.key.Active, LastRotated: tt.key.LastRotated}
		if tt.key.Exists() != tt.want || c.Exists() != tt.want {
			t.Errorf("%s: key %t, certificate %t, want %t", name, tt.key.Exists(), c.Exists(), tt.want)
		}
	}
}

func TestAdditionalCredentials(t *testing.T) {
	for _, tt := range []struct {
		keys, certificates int
		want               string
	}{
		{0, 0, ""},
		{-1, -1, ""},
		{1, 0, "1 additional access key (see ListAccessKeys)"},
		{0, 2, "2 additional signing certificates (see ListSigningCertificates)"},
		{10, 1, "10 additional access keys (see ListAccessKeys); 1 additional signing certificate (see " +
			"ListSigningCertificates)"},
	} {
		got := report.AdditionalCredentials(tt.keys, tt.certificates)
		if got != tt.want {
			t.Errorf("AdditionalCredentials(%d, %d) = %q, want %q", tt.keys, tt.certificates, got, tt.want)
		}
		if strings.ContainsAny(got, ",\"\n") {
			t.Errorf("%q breaks tools that split at commas", got)
		}
	}
}

func TestRowCell(t *testing.T) {
	r := report.Row{
		User: "u", MFAActive: report.True, Created: at("2026-09-11T13:14:52Z"),
		PasswordLastUsed: noInformation, PasswordLastChanged: report.None(report.Malformed),
		PasswordNextRotation: report.None(report.MissingColumn),
		Extra:                []report.Cell{{Column: "future", Text: "x"}},
		Unreadable:           []report.Cell{{Column: "password_last_changed", Text: "soon"}},
	}
	type cell struct {
		Text string
		OK   bool
	}
	want := map[string]cell{
		"user": {"u", true}, "mfa_active": {"true", true}, "user_creation_time": {"2026-09-11T13:14:52Z", true},
		"password_last_used": {"no_information", true}, "password_last_changed": {"soon", true},
		"password_next_rotation": {"", false}, "access_key_1_last_used_region": {"N/A", true},
		"additional_credentials_info": {"", true}, "future": {"x", true}, "unheard_of": {"", false},
	}
	got := make(map[string]cell)
	for column := range want {
		text, ok := r.Cell(column)
		got[column] = cell{text, ok}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRowMarshalJSON(t *testing.T) {
	file := "mfa_active,user,arn,user_creation_time,password_enabled,password_last_used,cert_1_active," +
		"access_key_1_last_used_region,new_one\n" +
		`true,"a""b\` + "\x1b\u2028" +
		`",arn:aws:iam::123456789012:user/x,2014-10-15T16:31:25+00:00,not_supported,no_information,perhaps,N/A,<x>`
	rows, err := report.ReadAll(strings.NewReader(file))
	must(t, err)
	const want = `{"user":"a\"b\\\u001b\u2028","arn":"arn:aws:iam::123456789012:user/x",` +
		`"user_creation_time":"2014-10-15T16:31:25Z","password_enabled":"not_supported",` +
		`"password_last_used":"no_information","mfa_active":true,"access_key_1_last_used_region":"N/A",` +
		`"cert_1_active":"perhaps","new_one":"<x>"}`
	if diff := cmp.Diff(want, string(rows[0].AppendJSON(nil))); diff != "" {
		t.Errorf("AppendJSON:\n%s", diff)
	}

	// encoding/json accepts it, from a value as well, and finds the same
	// strings.
	encoded, err := json.Marshal(map[string]any{"row": rows[0]})
	must(t, err)
	var back struct{ Row map[string]any }
	must(t, json.Unmarshal(encoded, &back))
	if diff := cmp.Diff(map[string]any{
		"user": rows[0].User, "arn": rows[0].ARN, "user_creation_time": "2014-10-15T16:31:25Z",
		"password_enabled": "not_supported", "password_last_used": "no_information", "mfa_active": true,
		"access_key_1_last_used_region": "N/A", "cert_1_active": "perhaps", "new_one": "<x>",
	}, back.Row); diff != "" {
		t.Errorf("through encoding/json:\n%s", diff)
	}

	invalid := report.Row{User: "\xff"}
	if !json.Valid(invalid.AppendJSON(nil)) ||
		!strings.Contains(string(invalid.AppendJSON(nil)), `"user":"`+"\ufffd"+`"`) {
		t.Errorf("name that is not UTF-8: %s", invalid.AppendJSON(nil))
	}
}

func TestNewColumns(t *testing.T) {
	for _, c := range []report.Columns{report.Columns16, report.Columns22, report.Columns23} {
		again, err := report.NewColumns(c.Names()...)
		must(t, err)
		if diff := cmp.Diff(c.Names(), again.Names()); diff != "" {
			t.Error(diff)
		}
	}
	if got := []int{report.Columns16.Len(), report.Columns22.Len(),
		report.Columns23.Len()}; !cmp.Equal(got, []int{16, 22, 23}) {
		t.Errorf("lengths %v", got)
	}
	var zero report.Columns
	if !cmp.Equal(zero.Names(), report.Columns22.Names()) {
		t.Error("zero Columns is not the form of today")
	}
	zero.Names()[0] = "changed"
	if !report.Columns22.Has("user") || report.Columns22.Has("additional_credentials_info") ||
		report.Columns16.Has("access_key_2_last_used_date") {
		t.Error("Has")
	}
	if _, err := report.NewColumns("user", "arn", "user"); err == nil || !strings.Contains(err.Error(), `"user"`) {
		t.Errorf("name given twice: %v", err)
	}
	if _, err := report.NewColumns(); err == nil {
		t.Error("no names accepted")
	}
}

// TestColumnsAgree compares the special code for AWS's forms with the loop for
// any other selection.
func TestColumnsAgree(t *testing.T) {
	for _, c := range []report.Columns{report.Columns16, report.Columns22, report.Columns23} {
		custom, err := report.NewColumns(append(c.Names(), "last")...)
		must(t, err)
		if got, want := string(custom.AppendHeader(nil)), string(c.AppendHeader(nil))+",last"; got != want {
			t.Errorf("header %s, want %s", got, want)
		}
		for name, rows := range golden {
			for i := range rows {
				got, want := string(custom.AppendRow(nil, &rows[i])), string(c.AppendRow(nil, &rows[i]))+","
				if got != want {
					t.Errorf("%s: %s, want %s", name, got, want)
				}
			}
		}
	}
}

// TestMarshalJSONParts encodes the parts outside of a row.
func TestMarshalJSONParts(t *testing.T) {
	got, err := json.Marshal([]any{
		report.True, report.False, report.NoBool(report.NotSupported), report.NoBool(report.MissingColumn),
		at("2014-10-15T16:31:25+00:00"), report.Time{}, noInformation, report.None(report.Malformed),
		text("us-east-1"), report.Text{}, report.NoText(report.MissingColumn),
	})
	must(t, err)
	const want = `[true,false,"not_supported",null,"2014-10-15T16:31:25Z","N/A","no_information",null,"us-east-1",` +
		`"N/A",null]`
	if string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
