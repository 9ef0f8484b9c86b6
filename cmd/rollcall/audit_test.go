package main

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestAuditScripts runs sessions of 'rollcall audit'. Files are audited without
// credentials in the environment and without a network. $ROLLCALL is the real
// service, whose root key is in the profile root.
func TestAuditScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/audit",
		Setup: func(env *testscript.Env) error {
			key, err := serveReports(t, env)
			if err != nil {
				return err
			}
			env.Setenv("HOME", env.WorkDir)
			credentials := "[root]\naws_access_key_id = " + key.ID + "\naws_secret_access_key = " + key.Secret.Reveal() + "\n"
			return os.WriteFile(env.WorkDir+"/credentials", []byte(credentials), 0o600)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": exitCode, "valid": valid,
			"mode": mode, "json": jsonValue},
	})
}

// json FILE KEY=VALUE... compares members of a JSON file; a key such as
// a.0.b goes into it.
func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: json FILE KEY=VALUE...")
	}
	var doc any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &doc))
	for _, arg := range args[1:] {
		key, want, _ := strings.Cut(arg, "=")
		at := doc
		for part := range strings.SplitSeq(key, ".") {
			switch v := at.(type) {
			case map[string]any:
				at = v[part]
			case []any:
				if part == "len" {
					at = len(v)
					continue
				}
				var i int
				ts.Check(json.Unmarshal([]byte(part), &i))
				at = v[i]
			default:
				at = nil
			}
		}
		text, err := json.Marshal(at)
		ts.Check(err)
		if got := strings.Trim(string(text), `"`); got != want {
			ts.Fatalf("%s is %s, want %s", key, got, want)
		}
	}
}

func TestParseOutputs(t *testing.T) {
	for text, want := range map[string][]outputSpec{
		"":                       {{"table", ""}},
		"json":                   {{"json", ""}},
		"json=a.json,sarif=b":    {{"json", "a.json"}, {"sarif", "b"}},
		"table,csv=a,b.csv":      {{"table", ""}, {"csv", "a,b.csv"}},
		"csv=a,json":             {{"csv", "a"}, {"json", ""}},
		"html=a=b.html":          {{"html", "a=b.html"}},
		"json=-":                 {{"json", ""}},
		"parquet=lake":           {{"parquet", "lake"}},
		"csv=a,table=b,md=c,d,e": {{"csv", "a"}, {"table", "b"}, {"md", "c,d,e"}},
	} {
		var given []string
		if text != "" {
			given = []string{text}
		}
		got, err := parseOutputs(given)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if d := cmp.Diff(want, got, cmp.AllowUnexported(outputSpec{})); d != "" {
			t.Errorf("%q: %s", text, d)
		}
	}
	if got, err := parseOutputs([]string{"json=a", "csv=b"}); err != nil || len(got) != 2 {
		t.Error(got, err)
	}
	for _, bad := range []string{"pdf", "json,csv", "json=", "parquet", "parquet=-", "json=a,csv=./a", "a.json",
		"json,a", "table,table=-", ","} {
		if got, err := parseOutputs([]string{bad}); err == nil {
			t.Errorf("%q gives %v", bad, got)
		}
	}
}
