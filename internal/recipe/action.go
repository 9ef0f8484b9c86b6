package main

// action is the recipe for an action. Its example is one of AWS's actions that
// Rollcall does not serve.
var action = recipe{
	name: "action",
	steps: []step{
		{
			file: "internal/identity/organizationsaccess.go", what: "the method",
			text: `package identity

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// GetOrganizationsAccessReport returns which services an entity of an
// organisation uses.
func (s *Service) GetOrganizationsAccessReport(
	context.Context, *iam.GetOrganizationsAccessReportInput,
) (*iam.GetOrganizationsAccessReportOutput, error) {
	now := s.db.Now()
	return &iam.GetOrganizationsAccessReportOutput{JobStatus: types.JobStatusTypeCompleted, JobCreationDate: &now}, nil
}
`,
		},
		{
			file: "internal/identity/actions.go", what: "its registration",
			changes: []change{before(
				"\t\tapi.Bind(s.GetAccountSummary,",
				"\t\tapi.Bind(s.GetOrganizationsAccessReport, api.Reads, api.On(api.Everything)),\n",
			)},
		},
		{
			file: "internal/service/everyaction_test.go", what: "a good request, and what new members touch",
			changes: []change{
				before("\t\"GetAccountSummary\":",
					"\t\"GetOrganizationsAccessReport\": {\"JobId=\" + noJob, \"*\"},\n"),
				before("\t// These describe the call itself,", "\t\"SortKey\": {},\n"),
			},
		},
		{
			file: "internal/service/everyaction_sdk_test.go", what: "a call by the SDK that succeeds",
			changes: []change{after(
				"func callOrganization(t *testing.T, w *world) {\n",
				"\tmust(t, w.root.GetOrganizationsAccessReport, &iam.GetOrganizationsAccessReportInput{JobId: "+
					"ptr(noJob)})\n",
			)},
		},
		{
			file: "docs/actions.md", what: "generated",
			generate: []string{"go", "test", "-count", "1", "-run", "TestActionsDocument",
				"./internal/service", "-update"},
		},
	},
	tests: []string{
		"-count", "1", "-run", "^(TestEveryActionIsInTheTable|TestEveryParameterIsInTheTable|TestEveryActionSucceeds|" +
			"TestActionsDocument|TestUsersAreDenied|TestRootIsAllowed|TestEffects)$", "./internal/service",
	},
}
