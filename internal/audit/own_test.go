package audit_test

import (
	"fmt"
	"strings"
	"testing"

	"rollcall/internal/audit"
)

// ownConfig is a configuration with custom controls of every scope, and their
// tests.
const ownConfig = `version: 1
controls:
  - id: ACME-KEYS
    title: Keys of production users are young
    description: Production rotates monthly.
    severity: high
    scope: access_key
    when: user.path.startsWith("/prod/") && key.active
    expression: key.age_days <= 30
    message: "The key of {user.name} is {key.age_days} old."
    fix: Rotate the key.
    requirements: [ { standard: acme-2026, id: "7.3" } ]
    tests:
      - name: too old
        row: { user: a, arn: "arn:aws:iam::123456789012:user/prod/a", access_key_1_active: "true",
          access_key_1_last_rotated: 2025-11-30T00:00:00Z }
        verdict: FAIL
        message: The key of a is 32 days old.
      - name: one second too old
        row: { arn: "arn:aws:iam::123456789012:user/prod/user", access_key_1_active: "true",
          access_key_1_last_rotated: 2025-12-01T23:59:59Z }
        verdict: FAIL
        message: The key of user is 30 days 1 second old.
      - name: exactly 30 days, and a second one
        row: { arn: "arn:aws:iam::123456789012:user/prod/user", access_key_1_active: "true",
          access_key_1_last_rotated: 2025-12-02T00:00:00Z, access_key_2_active: "true",
          access_key_2_last_rotated: 2025-01-01T00:00:00Z }
        verdicts: [ PASS, FAIL ]
        message: The key of user is 365 days old.
      - name: no key
        row: { user: a }
        verdict: NOT_APPLICABLE
      - name: elsewhere
        row: { access_key_1_active: "true", access_key_1_last_rotated: 2020-01-01T00:00:00Z }
        verdict: NOT_APPLICABLE
      - name: nobody knows when
        row: { arn: "arn:aws:iam::123456789012:user/prod/user", access_key_1_active: "true" }
        verdict: NO_DATA
        message: access_key_1_last_rotated is N/A, which gives no answer.
  - id: ACME-MFA
    title: People have MFA
    severity: critical
    scope: user
    expression: user.mfa || !password.enabled
    tests:
      - { name: with, row: { mfa_active: "true", password_enabled: "true" }, verdict: PASS }
      - { name: without, row: { password_enabled: "true" }, verdict: FAIL,
          message: "This is not true: user.mfa || !password.enabled" }
      - { name: not known, row: { password_enabled: "true", mfa_active: "maybe" }, verdict: NO_DATA }
      - { name: known by the other side, row: { mfa_active: "maybe" }, verdict: PASS }
  - id: ACME-OWNER
    title: Machines have an owner
    severity: low
    scope: user
    when: user.class == "machine"
    expression: has(user.tags) && "owner" in user.tags && user.tags["owner"].endsWith("@example.com")
    tests:
      - { name: owned, row: { user: svc }, tags: { owner: x@example.com }, verdict: PASS }
      - { name: stranger, row: { user: svc }, tags: { owner: x@example.org }, verdict: FAIL }
      - { name: none, row: { user: svc }, tags: { team: x }, verdict: FAIL }
      - { name: nobody asked, row: { user: svc }, verdict: FAIL }
  - id: ACME-TAGS
    title: Tags are known
    severity: low
    scope: user
    expression: user.tags["owner"] != ""
    tests:
      - { name: nobody asked, row: { user: svc }, verdict: NO_DATA }
      - { name: no such tag, row: { user: svc }, tags: { team: x }, verdict: NO_DATA,
          message: "The expression cannot be decided: no such key: owner." }
  - id: ACME-PASSWORD
    title: Passwords are used
    severity: medium
    scope: password
    expression: password.idle_days < 45 && (!has(password.next_rotation) || password.next_rotation > password.changed)
    message: "Not used since {password.last_used}, changed {password.changed}, idle {password.idle_days}."
    tests:
      - name: never used
        row: { password_enabled: "true", password_last_used: no_information,
          password_last_changed: 2025-12-30T00:00:00Z }
        verdict: PASS
      - name: idle
        row: { password_enabled: "true", password_last_used: 2025-11-01T00:00:00Z,
          password_last_changed: 2025-10-01T00:00:00Z }
        verdict: FAIL
        message: "Not used since 2025-11-01T00:00:00Z, changed 2025-10-01T00:00:00Z, idle 61 days."
      - { name: none, row: { user: a }, verdict: NOT_APPLICABLE }
  - id: ACME-CERTS
    title: No certificates
    severity: low
    scope: certificate
    expression: "!certificate.active"
    message: Certificate {certificate.slot} was uploaded {certificate.uploaded}.
    tests:
      - name: both
        row: { cert_1_active: "false", cert_1_last_rotated: 2020-01-01T00:00:00Z, cert_2_active: "true",
          cert_2_last_rotated: 2021-01-01T00:00:00Z }
        verdicts: [ PASS, FAIL ]
        message: Certificate 2 was uploaded 2021-01-01T00:00:00Z.
  - id: ACME-FEW
    title: Few users
    severity: info
    scope: account
    expression: account.users <= 1 && account.root_mfa
    message: "{account.users} users, root MFA {account.root_mfa}"
    tests:
      - name: two
        rows: [ { user: <root_account>, mfa_active: "true" }, { user: a }, { user: b } ]
        verdict: FAIL
        message: 2 users, root MFA true
      - name: root without
        rows: [ { user: <root_account> } ]
        verdict: FAIL
      - name: no row of root
        row: { user: a }
        verdict: NO_DATA
  - id: ACME-ROOT
    title: Root has no keys
    severity: critical
    scope: user
    root: true
    expression: "!user.is_root || !user.keys.exists(k, k.active)"
    tests:
      - { name: root, row: { user: <root_account>, access_key_2_active: "true" }, verdict: FAIL }
      - { name: user, row: { user: a, access_key_2_active: "true" }, verdict: PASS }
`

func TestOwnControls(t *testing.T) {
	c, err := audit.ReadConfig(strings.NewReader(ownConfig), false)
	if err != nil {
		t.Fatal(err)
	}
	results, untested, err := c.TestControls(t.Context())
	if err != nil || len(untested) > 0 {
		t.Fatal(err, untested)
	}
	for _, r := range results {
		if r.Wrong != "" {
			t.Errorf("%s: %s: %s", r.Control, r.Test, r.Wrong)
		}
	}
	if len(results) < 25 {
		t.Errorf("%d tests ran", len(results))
	}
}

// TestOwnDoubtfulKeys checks that a key that may or may not exist is never counted
// or judged, and that a control without a message quotes its expression with braces.
func TestOwnDoubtfulKeys(t *testing.T) {
	const text = `version: 1
controls:
  - { id: COUNT, title: t, severity: low, scope: user, expression: size(user.keys) >= 1, tests: [
    { name: a, row: { access_key_1_active: "true", access_key_2_active: odd }, verdict: NO_DATA },
    { name: b, row: { access_key_1_active: "true" }, verdict: PASS } ] }
  - { id: LIST, title: t, severity: low, scope: user, expression: "user.certificates != []", tests: [
    { name: a, row: { cert_2_active: odd }, verdict: NO_DATA },
    { name: b, row: { cert_2_active: "false", cert_2_last_rotated: odd }, verdict: NO_DATA },
    { name: c, row: { cert_2_active: odd, cert_2_last_rotated: 2025-01-01T00:00:00Z }, verdict: PASS } ] }
  - { id: EACH, title: t, severity: low, scope: access_key, expression: "user.name == 'a'", tests: [
    { name: a, row: { user: a, access_key_2_active: odd }, verdict: NO_DATA,
      message: 'access_key_2_active cannot be read: "odd".' },
    { name: b, row: { user: a, access_key_1_active: "false" }, verdict: NOT_APPLICABLE } ] }
  - { id: WHEN, title: t, severity: low, scope: access_key, expression: "true", when: "user.name == 'b'", tests: [
    { name: a, row: { user: a, access_key_2_active: odd }, verdict: NOT_APPLICABLE } ] }
  - { id: BRACES, title: t, severity: low, scope: user, expression: 'user.name.matches("^[b-z]{2}$")', tests: [
    { name: a, row: { user: a }, verdict: FAIL, message: 'This is not true: user.name.matches("^[b-z]{2}$")' } ] }
  - { id: BRACES-IN, title: t, severity: low, scope: user, expression: "false",
    message: 'It is {user.name.matches("^[b-z]{1,2}$")}, and {"{"}no}.', tests: [
    { name: a, row: { user: b }, verdict: FAIL, message: 'It is true, and {no}.' } ] }
`
	c, err := audit.ReadConfig(strings.NewReader(text), false)
	if err != nil {
		t.Fatal(err)
	}
	results, _, err := c.TestControls(t.Context())
	if err != nil || len(results) != 10 {
		t.Fatal(err, len(results))
	}
	for _, r := range results {
		if r.Wrong != "" {
			t.Errorf("%s: %s: %s", r.Control, r.Test, r.Wrong)
		}
	}
}

// TestOwnTestsFail checks that a test with a wrong expectation fails and says
// why.
func TestOwnTestsFail(t *testing.T) {
	text := strings.Replace(ownConfig, "verdict: FAIL\n        message: The key of a is 32", "verdict: PASS\n"+
		"        message: The key of a is 32", 1)
	text = strings.Replace(text, "2 users, root MFA true", "3 users", 1)
	c, err := audit.ReadConfig(strings.NewReader(text), false)
	if err != nil {
		t.Fatal(err)
	}
	results, _, err := c.TestControls(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var wrong []string
	for _, r := range results {
		if r.Wrong != "" {
			wrong = append(wrong, fmt.Sprintf("%s: %s: %s", r.Control, r.Test, r.Wrong))
		}
	}
	want := []string{
		"ACME-KEYS: too old: the verdicts are FAIL, and must be PASS; the last reason: The key of a is 32 days old.",
		`ACME-FEW: two: the reason is "2 users, root MFA true", and must be "3 users"`,
	}
	if strings.Join(wrong, "\n") != strings.Join(want, "\n") {
		t.Errorf("wrong:\n%s", strings.Join(wrong, "\n"))
	}
}

// TestOwnTestsAreRefused checks that an error about a test names its line.
func TestOwnTestsAreRefused(t *testing.T) {
	const head = "version: 1\ncontrols:\n  - id: X\n    title: t\n    severity: low\n    scope: user\n" +
		"    expression: 'true'\n    tests:\n      - { name: good, row: { user: a }, verdict: PASS }\n"
	for test, want := range map[string]string{
		"{ name: bad, row: { usr: a }, verdict: PASS }": `no column of the report is called "usr"`,
		"{ name: bad, verdict: PASS }":                  "it needs row or rows, and verdict or verdicts",
	} {
		c, err := audit.ReadConfig(strings.NewReader(head+"      - "+test+"\n"), false)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.TestControls(t.Context()); err == nil ||
			err.Error() != `line 10: control X: test "bad": `+want {
			t.Errorf("%s: error %v, want %q", test, err, want)
		}
	}
}

// TestUnknownFactsOfOwnControls checks that a fact that the report does not tell is
// NO_DATA, whatever is said of it.
func TestUnknownFactsOfOwnControls(t *testing.T) {
	const text = `version: 1
controls:
  - { id: ARN, title: t, severity: low, scope: user, expression: '!user.arn.contains("/prod/")', tests: [
    { name: empty, row: { arn: "" }, verdict: NO_DATA },
    { name: none, row: { arn: N/A }, verdict: NO_DATA },
    { name: other, row: { user: a }, verdict: PASS } ] }
  - { id: NAME, title: t, severity: low, scope: user, expression: 'user.name != "b"', tests: [
    { name: empty, row: { user: "", arn: "arn:aws:iam::123456789012:user/x" }, verdict: NO_DATA } ] }
  - { id: MFA, title: t, severity: low, scope: user, expression: user.mfa, tests: [
    { name: an empty cell is not one that was left out, row: { mfa_active: "" }, verdict: NO_DATA },
    { name: left out, row: { user: a }, verdict: FAIL } ] }
  - { id: ROOT, title: t, severity: low, scope: account, expression: account.root_last_used_days > 90, tests: [
    { name: use of a key that cannot be read, row: { user: <root_account>, password_last_used: 2024-01-01T00:00:00Z,
      access_key_1_active: "true", access_key_1_last_rotated: 2024-01-01T00:00:00Z,
      access_key_1_last_used_date: odd }, verdict: NO_DATA },
    { name: known, row: { user: <root_account>, password_last_used: 2024-01-01T00:00:00Z }, verdict: PASS } ] }
`
	c, err := audit.ReadConfig(strings.NewReader(text), false)
	if err != nil {
		t.Fatal(err)
	}
	results, _, err := c.TestControls(t.Context())
	if err != nil || len(results) != 8 {
		t.Fatal(err, len(results))
	}
	for _, r := range results {
		if r.Wrong != "" {
			t.Errorf("%s: %s: %s", r.Control, r.Test, r.Wrong)
		}
	}
}

func TestOwnControlsAreRefused(t *testing.T) {
	const head = "version: 1\ncontrols:\n  - id: X\n    title: t\n    severity: low\n    scope: access_key\n"
	for _, c := range []struct{ name, text, err string }{
		{"type error", head + "    expression: key.age_days > \"3\"\n",
			"line 7: control X: expression: column 14: found no matching overload for '_>_' applied to '(double, string)'"},
		{"unknown field", head + "    expression: |\n      true &&\n      key.agedays > 3\n",
			"line 9: control X: expression: column 4: undefined field 'agedays'"},
		{"object of another scope", head + "    expression: certificate.active\n",
			"line 7: control X: expression: column 1: undeclared reference to 'certificate'"},
		{"no condition", head + "    expression: key.age_days\n",
			"line 7: control X: expression: it is double, and must be bool"},
		{"condition", head + "    expression: key.active\n    when: user.name\n",
			"line 8: control X: when: it is string, and must be bool"},
		{"message", head + "    expression: key.active\n    message: 'is {key.name}'\n",
			"line 8: control X: message: {key.name}: column 4: undefined field 'name'"},
		{"open message", head + "    expression: key.active\n    message: 'is {key.slot'\n",
			"line 8: control X: message: a { has no }"},
		{"syntax", head + "    expression: 'key.active &&'\n", "line 7: control X: expression: column"},
		{"costly", head + "    expression: " + strings.Repeat("user.arn.matches(user.arn) && ", 40) + "true\n",
			"line 7: control X: expression: it may cost"},
		{"costly repetition", head + "    expression: user.arn.matches('(.*.*.*){300}x')\n",
			"line 7: control X: expression: it may cost"},
		{"long", head + "    expression: " + strings.Repeat("true && ", 600) + "true\n", "it is longer than 4096 bytes"},
		{"nothing to judge", head, "line 3: control X: expression is missing"},
		{"scope", strings.Replace(head, "access_key", "key", 1) + "    expression: 'true'\n",
			`line 6: control X: scope "key" is not one of user, access_key, password, certificate, account`},
		{"severity", strings.Replace(head, "low", "severe", 1) + "    expression: 'true'\n",
			`line 5: control X: severity "severe" is not one of info, low, medium, high, critical`},
		{"facts of the account", head + "    expression: account.active_keys < 9\n",
			"line 7: control X: expression: column 8: undefined field 'active_keys'"},
		{"key", head + "    expresion: 'true'\n", "line 7: key expresion is not known; did you mean expression?"},
		{"Rollcall's id", strings.Replace(head, "id: X", "id: C40", 1) + "    expression: 'true'\n",
			"line 3: control C40: ids of C and a number are Rollcall's own"},
		{"form of an id", strings.Replace(head, "id: X", "id: my rule", 1) + "    expression: 'true'\n",
			"line 3: control my rule: id must have"},
		{"Rollcall's name", head + "    name: key-age\n    expression: 'true'\n",
			`line 7: control X: there is another control of the name "KEY-AGE"`},
		{"twice", head + "    expression: 'true'\n" + strings.SplitN(head, "\n", 3)[2] + "    expression: 'true'\n",
			`line 8: control X: there is another control of the name "X"`},
		{"exception", "version: 1\nexceptions:\n" + strings.Replace(goodException, "C9", "C0", 1), "there is no control"},
		{"root of the account",
			strings.Replace(head, "access_key", "account", 1) + "    root: true\n    expression: 'true'\n",
			"line 7: control X: root: true has no meaning in scope account"},
		{"id behind the title", strings.Replace(head, "id: X\n    title: t", "title: t\n    id: x", 1) +
			"    expression: 'true'\n", "line 4: control x: id must have"},
		{"half of a requirement", head + "    expression: 'true'\n    requirements:\n      - { standard: a, id: b }\n" +
			"      - { standard: a }\n", "line 10: control X: a requirement needs standard and id"},
		{"key of a requirement", head + "    expression: 'true'\n    requirements: [ { standard: a, id: b, url: c } ]\n",
			"line 8: key url is not known"},
		{"list as a text", head + "    expression: 'true'\n    when: [ a ]\n    fix: [ b ]\n",
			"line 8: when must be a text\nline 9: fix must be a text"},
		{"word as a truth", head + "    expression: 'true'\n    root: maybe\n", "line 8: root must be true or false"},
		{"text as a control", "version: 1\ncontrols:\n  - X\n", "line 3: an item of controls must be keys with values"},
		{"nothing as a control", "version: 1\ncontrols:\n  -\n", "line 3: an item of controls must be given"},
		{"controls without a list", "version: 1\ncontrols: X\n", "line 2: controls must be a list"},
		{"word as a time", head + "    expression: 'true'\n    tests:\n      - generated: yesterday\n",
			"line 9: generated must be a time such as 2026-01-01T00:00:00Z"},
		{"text as a row", head + "    expression: 'true'\n    tests:\n      - row: a\n",
			"line 9: row must be keys with values"},
	} {
		_, err := audit.ReadConfig(strings.NewReader(c.text), false)
		if err == nil || strings.Count(err.Error(), c.err) != 1 {
			t.Errorf("%s: error %v, want one with %q, once", c.name, err, c.err)
		}
	}
}
