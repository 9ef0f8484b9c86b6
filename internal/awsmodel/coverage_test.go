package awsmodel

import (
	"strings"
	"testing"
)

func TestActionsMarkdown(t *testing.T) {
	got := ActionsMarkdown(map[string]bool{"CreateUser": true, "GetCallerIdentity": true, "GetCredentialReport": true})
	for _, want := range []string{
		"## IAM 2010-05-08: 2 of 180\n", "## STS 2011-06-15: 1 of 11\n",
		"\n### Credential report: 1 of 2\n", "\n### Users: 1 of ",
		"\n| CreateUser | ✓ |\n", "\n| DeleteUser |  |\n", "\n| GetCallerIdentity | ✓ |\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in it", want)
		}
	}
	for _, service := range Services() {
		for _, op := range Operations(service.Name) {
			if n := strings.Count(got, "\n| "+op.Name+" |"); n != 1 {
				t.Errorf("%s is listed %d times", op.Name, n)
			}
		}
	}
}
