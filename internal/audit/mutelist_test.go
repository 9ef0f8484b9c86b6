package audit_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rollcall/internal/audit"
)

const mutelist = `Mutelist:
  Accounts:
    "123456789012":
      Checks:
        "iam_rotate_access_key_90_days":
          Regions: ["*"]
          Resources: ["svc-erp", "^svc-web$", "^svc-.*", "a|b", "arn:aws:iam::123456789012:user/x"]
          Description: "vendor"
        "iam_no_root_access_key":
          Regions: ["us-east-1"]
          Resources: ["<root_account>"]
        "iam_user_*_unused":
          Regions: ["*"]
          Resources: ["jo\\.doe"]
        "s3_bucket_public_access":
          Regions: ["*"]
          Resources: ["*"]
        "iam_user_two_active_access_key":
          Regions: ["*"]
          Resources: ["jo"]
          Tags: ["team=red"]
        "iam_root_mfa_enabled":
          Regions: ["*"]
          Resources: ["*"]
          Exceptions:
            Accounts: ["210987654321"]
    "*":
      Checks:
        "iam_user_mfa_enabled_console_access":
          Regions: ["*"]
          Resources: ["*"]
`

var importDefaults = audit.ImportDefaults{Owner: "sec@example.com", Ticket: "SEC-1",
	Expires: audit.Date{Year: 2027, Month: 1, Day: 31}}

func TestImportMutelist(t *testing.T) {
	short := func(list []audit.Exception) (got []string) {
		for _, e := range list {
			got = append(got,
				strings.Join([]string{e.ID, e.Control, e.Account, e.User + e.ARN, e.Reason, e.Owner, e.Ticket,
					e.Expires.String()}, " | "))
		}
		return got
	}
	const end = " | sec@example.com | SEC-1 | 2027-01-31"
	im, err := audit.ImportMutelist(strings.NewReader(mutelist), importDefaults)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"prowler-001 | C1 | 123456789012 | <root_account> | muted in Prowler as iam_no_root_access_key" + end,
		"prowler-002 | C9 | 123456789012 | svc-erp | vendor" + end,
		"prowler-003 | C9 | 123456789012 | svc-web | vendor" + end,
		"prowler-004 | C9 | 123456789012 | arn:aws:iam::123456789012:user/x | vendor" + end,
		"prowler-005 | C8 | 123456789012 | jo.doe | muted in Prowler as iam_user_*_unused" + end,
		"prowler-006 | C7 | 123456789012 | jo.doe | muted in Prowler as iam_user_*_unused" + end,
	}
	if diff := cmp.Diff(want, short(im.Exceptions)); diff != "" {
		t.Errorf("exceptions, -want +got:\n%s", diff)
	}
	wantNotes := []string{
		`account "*", check "iam_user_mfa_enabled_console_access": left out, as it is for all accounts and wildcards ` +
			`are not allowed`,
		`account "123456789012", check "iam_no_root_access_key": its regions ["us-east-1"] are dropped, as IAM ` +
			`has none`,
		`account "123456789012", check "iam_root_mfa_enabled": left out, as it has exceptions of its own: name the ` +
			`users it is for`,
		`account "123456789012", check "iam_rotate_access_key_90_days": resource "^svc-.*" left out, as it is a ` +
			`pattern: name the users it is for`,
		`account "123456789012", check "iam_rotate_access_key_90_days": resource "a|b" left out, as it is a pattern: ` +
			`name the users it is for`,
		`account "123456789012", check "iam_user_two_active_access_key": left out, as reports have no tags to ` +
			`limit it by`,
		`account "123456789012", check "s3_bucket_public_access": left out, as no control judges it`,
		"Prowler finds a resource anywhere in a name, so that logs mutes every name with logs in it; the exceptions " +
			"fit whole names alone.",
	}
	if diff := cmp.Diff(wantNotes, im.Notes); diff != "" {
		t.Errorf("notes, -want +got:\n%s", diff)
	}
	var file bytes.Buffer
	if err := audit.WriteExceptions(&file, im.Exceptions); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.ReadExceptions(&file, false); err != nil {
		t.Errorf("what was imported is refused: %v", err)
	}

	t.Run("with wildcards", func(t *testing.T) {
		d := importDefaults
		d.AllowWildcards = true
		im, err := audit.ImportMutelist(strings.NewReader(mutelist), d)
		if err != nil {
			t.Fatal(err)
		}
		var wild []string
		for _, e := range im.Exceptions {
			if strings.Contains(e.User+e.Account, "*") {
				wild = append(wild, e.Control+" "+e.Account+" "+e.User)
			}
		}
		if diff := cmp.Diff([]string{"C5 * *", "C9 123456789012 svc-*"}, wild); diff != "" {
			t.Errorf("wildcards, -want +got:\n%s", diff)
		}
	})
}

func TestImportMutelistRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":     "",
		"no mutelist": "version: 1\n",
		"no accounts": "Mutelist: {}\n",
		"unknown key": strings.Replace(mutelist, "Description:", "Expires:", 1),
	} {
		if _, err := audit.ImportMutelist(strings.NewReader(text), importDefaults); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	for name, change := range map[string]func(*audit.ImportDefaults){
		"owner":  func(d *audit.ImportDefaults) { d.Owner = "" },
		"ticket": func(d *audit.ImportDefaults) { d.Ticket = "" },
		"expiry": func(d *audit.ImportDefaults) { d.Expires = audit.Date{} },
	} {
		d := importDefaults
		change(&d)
		if _, err := audit.ImportMutelist(strings.NewReader(mutelist), d); err == nil {
			t.Errorf("no %s is accepted", name)
		}
	}
}

func TestImportMutelistWithoutNotes(t *testing.T) {
	const text = "Mutelist:\n  Accounts:\n    \"123456789012\":\n      Checks:\n        \"s3_x\": { Resources: [a] }\n"
	im, err := audit.ImportMutelist(strings.NewReader(text), importDefaults)
	if err != nil || len(im.Exceptions) != 0 || len(im.Notes) != 1 {
		t.Errorf("%+v, %v", im, err)
	}
	im, err = audit.ImportMutelist(strings.NewReader(strings.Replace(text, "s3_x", "iam_root_mfa_enabled", 1)),
		importDefaults)
	if err != nil || len(im.Exceptions) != 1 || len(im.Notes) != 1 { // without regions there is no note about them
		t.Errorf("%+v, %v", im, err)
	}
}
