package identity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// versions returns the versions of a policy in the order of ListPolicyVersions.
// The default has a star.
func (w *world) versions(t testing.TB, arn string) string {
	t.Helper()
	var all []string
	for _, v := range must(t, w.root, w.ListPolicyVersions, &iam.ListPolicyVersionsInput{PolicyArn: &arn}).Versions {
		if v.Document != nil {
			t.Errorf("version %s has a document", *v.VersionId)
		}
		all = append(all, *v.VersionId+map[bool]string{true: "*"}[v.IsDefaultVersion])
	}
	return strings.Join(all, " ")
}

func TestPolicyVersions(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		arn := w.policy(t, "/", "p")
		create := func(document string, asDefault bool) *types.PolicyVersion {
			t.Helper()
			w.clock.advance(time.Hour)
			return must(t, w.root, w.CreatePolicyVersion,
				&iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: &document,
					SetAsDefault: asDefault}).PolicyVersion
		}
		setDefault := func(version string) {
			t.Helper()
			w.clock.advance(time.Hour)
			must(t, w.root, w.SetDefaultPolicyVersion,
				&iam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: &version})
		}
		state := func(versions, defaultID string, updated time.Duration) {
			t.Helper()
			if got := w.versions(t, arn); got != versions {
				t.Errorf("versions %s, want %s", got, versions)
			}
			p := must(t, w.root, w.GetPolicy, &iam.GetPolicyInput{PolicyArn: &arn}).Policy
			if *p.DefaultVersionId != defaultID || !p.CreateDate.Equal(began) ||
				!p.UpdateDate.Equal(began.Add(updated)) {
				t.Errorf("%s of %v, %v", *p.DefaultVersionId, p.CreateDate, p.UpdateDate)
			}
		}
		state("v1*", "v1", 0)
		sameOut(t, create(allowS3, false),
			&types.PolicyVersion{VersionId: ptr("v2"), CreateDate: ptr(began.Add(time.Hour))})
		state("v2 v1*", "v1", time.Hour)
		sameOut(t, create(allowS3, true),
			&types.PolicyVersion{VersionId: ptr("v3"), IsDefaultVersion: true,
				CreateDate: ptr(began.Add(2 * time.Hour))})
		state("v3* v2 v1", "v3", 2*time.Hour)
		setDefault("v2")
		state("v3 v2* v1", "v2", 2*time.Hour)

		got := must(t, w.root, w.GetPolicyVersion,
			&iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: ptr("v2")}).PolicyVersion
		sameOut(t, got, &types.PolicyVersion{VersionId: ptr("v2"), IsDefaultVersion: true,
			CreateDate: ptr(began.Add(time.Hour)),
			Document: ptr(
				"%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C" +
					"%22Action%22%3A%22s3%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D")})

		// Numbers are not used again, not even the last one.
		must(t, w.root, w.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: ptr("v3")})
		must(t, w.root, w.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: ptr("v1")})
		state("v2*", "v2", 2*time.Hour)
		create(allowAll, false)
		state("v4 v2*", "v2", 4*time.Hour)
	})
}

func TestPolicyVersionsRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		arn := w.policy(t, "/", "p")
		create := &iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: ptr(allowS3)}
		for range 4 {
			must(t, w.root, w.CreatePolicyVersion, create)
		}
		refused(t, w.root, w.CreatePolicyVersion, create, 409, "LimitExceeded",
			"A managed policy can have up to 5 versions. Before you create a new version, you must delete an "+
				"existing version.")
		refused(t, w.root, w.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: ptr("v1")},
			409, "DeleteConflict", "Cannot delete the default version of a policy.")
		if got := w.versions(t, arn); got != "v5 v4 v3 v2 v1*" {
			t.Errorf("versions %s", got)
		}
		must(t, w.root, w.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: ptr("v5")})
		if v := must(t, w.root, w.CreatePolicyVersion, create).PolicyVersion; *v.VersionId != "v6" {
			t.Errorf("version %s", *v.VersionId)
		}
		refused(t, w.root, w.CreatePolicyVersion,
			&iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: ptr("{}")}, 400, "MalformedPolicyDocument",
			"Syntax errors in policy.")
		must(t, w.root, w.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: ptr("v6")})
		refused(t, w.root, w.CreatePolicyVersion,
			&iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: ptr(padded(6145))}, 409, "LimitExceeded",
			"Cannot exceed quota for PolicySize: 6144")

		// Every action gives the same answer for a missing version.
		missing := func(arn, id string) {
			t.Helper()
			text := fmt.Sprintf("Policy %s version %s does not exist or is not attachable.", arn, id)
			refused(t, w.root, w.GetPolicyVersion, &iam.GetPolicyVersionInput{PolicyArn: &arn, VersionId: &id},
				404, "NoSuchEntity", text)
			if !strings.HasPrefix(arn, "arn:aws:iam::aws") {
				refused(t, w.root, w.DeletePolicyVersion,
					&iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: &id}, 404, "NoSuchEntity", text)
				refused(t, w.root, w.SetDefaultPolicyVersion,
					&iam.SetDefaultPolicyVersionInput{PolicyArn: &arn, VersionId: &id}, 404, "NoSuchEntity", text)
			}
		}
		nothing := policyARN + "/TestNonExistingPolicy"
		missing(arn, "v9")
		missing(arn, "v1.a")
		missing(arn, "v99999999999999999999")
		missing(nothing, "v1")
		missing(administrator, "v2")
		refused(t, w.root, w.ListPolicyVersions, &iam.ListPolicyVersionsInput{PolicyArn: &nothing}, 404, "NoSuchEntity",
			"Policy "+nothing+" was not found.")
		refused(t, w.root, w.CreatePolicyVersion,
			&iam.CreatePolicyVersionInput{PolicyArn: &nothing, PolicyDocument: ptr(allowS3)}, 404, "NoSuchEntity",
			"Policy "+nothing+" does not exist or is not attachable.")
	})
}

// AWS's policies have their default version.
func TestPolicyVersionsOfAWS(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		if got := w.versions(t, "arn:aws:iam::aws:policy/IAMUserChangePassword"); got != "v5*" {
			t.Errorf("versions %s", got)
		}
		v := must(t, w.root, w.GetPolicyVersion,
			&iam.GetPolicyVersionInput{PolicyArn: ptr(administrator), VersionId: ptr("v1")}).PolicyVersion
		at := time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC)
		sameOut(t, v, &types.PolicyVersion{VersionId: ptr("v1"), IsDefaultVersion: true, CreateDate: &at,
			Document: ptr("%7B%22Statement%22%3A%5B%7B%22Action%22%3A%22%2A%22%2C%22Effect%22%3A%22Allow%22%2C" +
				"%22Resource%22%3A%22%2A%22%7D%5D%2C%22Version%22%3A%222012-10-17%22%7D")})
	})
}
