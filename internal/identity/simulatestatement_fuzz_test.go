package identity

import (
	"strings"
	"testing"

	"rollcall/internal/policy"
)

// A statement's position is within its document, whatever the document's form.
func FuzzStatementPlace(f *testing.F) {
	f.Add(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:*","Resource":"*"},{"Effect":"Deny",` +
		`"Action":"iam:*","Resource":"*"}]}`)
	f.Add("{\r\n\t\"Statement\" : {\n \"Effect\":\"Allow\",\"Action\":\"iam:*\",\"Resource\":\"ü*\"}\r}")
	f.Add(`{"Statement":[ {"Effect":"Allow","Action":"iam:*","Resource":"*","Condition":{"StringEquals":{"a:b":"}, ` +
		`{"}}} ,{"Effect":"Deny","NotAction":"iam:*","Resource":"*"} ]}`)
	f.Fuzz(func(t *testing.T, text string) {
		d, err := policy.Parse(text, policy.Inline)
		if err != nil {
			return
		}
		lines := strings.Split(lineEnds.Replace(text), "\n")
		for i := range d.Statements {
			start, end := StatementPlace(text, &d.Statements[i])
			if start.Line > end.Line || start.Line == end.Line && start.Column >= end.Column {
				t.Fatalf("from %+v to %+v in %q", start, end, text)
			}
			if line := []rune(lines[end.Line-1]); line[end.Column-2] != '}' {
				t.Fatalf("ends behind %q in %q", line[end.Column-2], text)
			}
			first := []rune(" " + lines[start.Line-1] + " ")
			if behind := first[start.Column-1]; !strings.ContainsRune("[{}", behind) {
				t.Fatalf("begins at %+v in %q", start, text)
			}
		}
	})
}
