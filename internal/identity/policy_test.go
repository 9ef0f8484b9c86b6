package identity_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
	"rollcall/internal/store"
)

const (
	policyARN = "arn:aws:iam::" + account + ":policy"
	allowS3   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
)

// rootOf returns the context of calls of the root user of a new account.
func (w *world) rootOf(t testing.TB, id, partition string) context.Context {
	t.Helper()
	n, err := w.CreateAccount(t.Context(), identity.AccountSpec{ID: id, Partition: partition})
	done(t, err)
	return w.as(t, n.RootKey.ID, n.RootKey.Secret.Reveal())
}

func TestPolicy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		tags := []types.Tag{{Key: ptr("b"), Value: ptr("1")}, {Key: ptr("A"), Value: ptr("")},
			{Key: ptr("a"), Value: ptr("2")}}
		made := must(t, w.root, w.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: ptr("Base"), Path: ptr("/x/"), PolicyDocument: ptr(allowS3),
				Description: ptr("of S3"), Tags: tags}).Policy
		if id := *made.PolicyId; !strings.HasPrefix(id, "ANPA") || len(id) != 21 {
			t.Errorf("id %s", id)
		}
		arn := policyARN + "/x/Base"
		want := types.Policy{
			PolicyName: ptr("Base"), PolicyId: made.PolicyId, Arn: &arn, Path: ptr("/x/"),
			DefaultVersionId: ptr("v1"), IsAttachable: true,
			AttachmentCount: ptr(int32(0)), PermissionsBoundaryUsageCount: ptr(int32(0)), CreateDate: ptr(began),
			UpdateDate: ptr(began), Tags: tags,
		}
		sameOut(t, *made, want)
		want.Description, want.Tags = ptr("of S3"), []types.Tag{tags[1], tags[2], tags[0]}
		sameOut(t, *must(t, w.root, w.GetPolicy, &iam.GetPolicyInput{PolicyArn: &arn}).Policy, want)

		plain := w.policy(t, "/", "plain")
		got := must(t, w.root, w.GetPolicy, &iam.GetPolicyInput{PolicyArn: &plain}).Policy
		if got.Description != nil || got.Tags == nil || len(got.Tags) != 0 {
			t.Errorf("%+v", got)
		}

		refused(t, w.root, w.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: ptr("BASE"), PolicyDocument: ptr(allowS3)},
			409, "EntityAlreadyExists", "A policy called BASE already exists. Duplicate names are not allowed.")
		must(t, w.root, w.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: &arn})
		gone := "Policy " + arn + " was not found."
		refused(t, w.root, w.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: &arn}, 404, "NoSuchEntity", gone)
		refused(t, w.root, w.GetPolicy, &iam.GetPolicyInput{PolicyArn: &arn}, 404, "NoSuchEntity", gone)
		// Another policy of the same name starts with nothing.
		again := w.policy(t, "/x/", "base")
		if p := must(t, w.root, w.GetPolicy, &iam.GetPolicyInput{PolicyArn: &again}).Policy; len(p.Tags) != 0 ||
			*p.PolicyId == *made.PolicyId {
			t.Errorf("%+v", p)
		}
	})
}

func TestCreatePolicyRefused(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		create := func(document string, tags []types.Tag, status int, code, message string) {
			t.Helper()
			refused(t, w.root, w.CreatePolicy, &iam.CreatePolicyInput{PolicyName: ptr("p"), PolicyDocument: &document,
				Tags: tags}, status, code, message)
		}
		create("no json", nil, 400, "MalformedPolicyDocument", "Syntax errors in policy.")
		create(strings.Replace(allowS3, "2012-10-17", "2008-10-17", 1), nil, 400, "MalformedPolicyDocument",
			"Policy document must be version 2012-10-17 or greater.")
		create(padded(6145), nil, 409, "LimitExceeded", "Cannot exceed quota for PolicySize: 6144")
		create(allowS3, []types.Tag{{Key: ptr("0"), Value: ptr("")}, {Key: ptr("0"), Value: ptr("")}}, 400,
			"InvalidInput", "Duplicate tag keys found.")
		create(allowS3, []types.Tag{{Key: ptr("AWS:x"), Value: ptr("")}}, 400, "InvalidInput",
			"Tag keys beginning with aws: are reserved for system use.")
		must(t, w.root, w.CreatePolicy, &iam.CreatePolicyInput{PolicyName: ptr("p"), PolicyDocument: ptr(padded(6144))})

		if err := w.SetLimits(t.Context(), account,
			map[string]int{"PoliciesPerAccount": 1, "PolicySize": 200}); err != nil {
			t.Fatal(err)
		}
		refused(t, w.root, w.CreatePolicy, &iam.CreatePolicyInput{PolicyName: ptr("q"), PolicyDocument: ptr(allowS3)},
			409, "LimitExceeded", "Cannot exceed quota for PoliciesPerAccount: 1")
		refused(t, w.root, w.CreatePolicy,
			&iam.CreatePolicyInput{PolicyName: ptr("q"), PolicyDocument: ptr(padded(201))}, 409, "LimitExceeded",
			"Cannot exceed quota for PolicySize: 200")
		refused(t, w.root, w.CreatePolicyVersion,
			&iam.CreatePolicyVersionInput{PolicyArn: ptr(policyARN + "/p"), PolicyDocument: ptr(padded(201))}, 409,
			"LimitExceeded", "Cannot exceed quota for PolicySize: 200")
		if n := len(must(t, w.root, w.ListPolicies, &identity.ListPoliciesInput{Scope: "Local"}).Policies); n != 1 {
			t.Errorf("%d policies", n)
		}
	})
}

// A policy that is in use, or that has several versions, cannot be deleted.
func TestDeletePolicyConflicts(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		arn := w.policy(t, "/", "p")
		entities := w.entities(t)
		remove := &iam.DeletePolicyInput{PolicyArn: &arn}
		for _, p := range entities {
			done(t, p.attach("worker", arn))
			refused(t, w.root, w.DeletePolicy, remove, 409, "DeleteConflict",
				"Cannot delete a policy attached to entities.")
			done(t, p.detach("worker", arn))
		}
		must(t, w.root, w.PutUserPermissionsBoundary,
			&iam.PutUserPermissionsBoundaryInput{UserName: ptr("worker"), PermissionsBoundary: &arn})
		refused(t, w.root, w.DeletePolicy, remove, 409, "DeleteConflict",
			"Cannot delete a policy attached to entities.")
		must(t, w.root, w.DeleteUserPermissionsBoundary,
			&iam.DeleteUserPermissionsBoundaryInput{UserName: ptr("worker")})
		must(t, w.root, w.PutRolePermissionsBoundary,
			&iam.PutRolePermissionsBoundaryInput{RoleName: ptr("worker"), PermissionsBoundary: &arn})
		refused(t, w.root, w.DeletePolicy, remove, 409, "DeleteConflict",
			"Cannot delete a policy attached to entities.")
		must(t, w.root, w.DeleteRolePermissionsBoundary,
			&iam.DeleteRolePermissionsBoundaryInput{RoleName: ptr("worker")})

		must(t, w.root, w.CreatePolicyVersion,
			&iam.CreatePolicyVersionInput{PolicyArn: &arn, PolicyDocument: ptr(allowS3)})
		refused(t, w.root, w.DeletePolicy, remove, 409, "DeleteConflict",
			"This policy has more than one version. Before you delete a policy, you must delete the policy's "+
				"versions. The default version is deleted with the policy.")
		must(t, w.root, w.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: &arn, VersionId: ptr("v2")})
		must(t, w.root, w.DeletePolicy, remove)
	})
}

// Actions that change a policy refuse AWS's policies and those of other
// accounts. Every action refuses a text that is not the ARN of a policy.
func TestOthersPolicies(t *testing.T) {
	w := newWorld(t, store.Config{Memory: true}, identity.Config{})
	w.newAccount(t, "222222222222")
	document, version, tags := ptr(allowS3), ptr("v1"), []types.Tag{{Key: ptr("k"), Value: ptr("v")}}
	changes := map[string]func(arn *string) (string, error){
		"DeletePolicy": func(arn *string) (string, error) {
			_, err := call(w.root, w.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: arn})
			return "delete policies", err
		},
		"DeletePolicyVersion": func(arn *string) (string, error) {
			_, err := call(w.root, w.DeletePolicyVersion,
				&iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: version})
			return "delete policy versions for policies", err
		},
		"SetDefaultPolicyVersion": func(arn *string) (string, error) {
			_, err := call(w.root, w.SetDefaultPolicyVersion,
				&iam.SetDefaultPolicyVersionInput{PolicyArn: arn, VersionId: version})
			return "update policies", err
		},
		"CreatePolicyVersion": func(arn *string) (string, error) {
			_, err := call(w.root, w.CreatePolicyVersion,
				&iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: document})
			return "update policies", err
		},
		"TagPolicy": func(arn *string) (string, error) {
			_, err := call(w.root, w.TagPolicy, &iam.TagPolicyInput{PolicyArn: arn, Tags: tags})
			return "update policies", err
		},
		"UntagPolicy": func(arn *string) (string, error) {
			_, err := call(w.root, w.UntagPolicy, &iam.UntagPolicyInput{PolicyArn: arn, TagKeys: []string{"k"}})
			return "update policies", err
		},
		"GetPolicy": func(arn *string) (string, error) {
			_, err := call(w.root, w.GetPolicy, &iam.GetPolicyInput{PolicyArn: arn})
			return "", err
		},
		"GetPolicyVersion": func(arn *string) (string, error) {
			_, err := call(w.root, w.GetPolicyVersion, &iam.GetPolicyVersionInput{PolicyArn: arn, VersionId: version})
			return "", err
		},
		"ListPolicyVersions": func(arn *string) (string, error) {
			_, err := call(w.root, w.ListPolicyVersions, &iam.ListPolicyVersionsInput{PolicyArn: arn})
			return "", err
		},
		"ListPolicyTags": func(arn *string) (string, error) {
			_, err := call(w.root, w.ListPolicyTags, &iam.ListPolicyTagsInput{PolicyArn: arn})
			return "", err
		},
		"ListEntitiesForPolicy": func(arn *string) (string, error) {
			_, err := call(w.root, w.ListEntitiesForPolicy, &iam.ListEntitiesForPolicyInput{PolicyArn: arn})
			return "", err
		},
	}
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			for _, arn := range []string{administrator, "arn:aws:iam::aws:policy/NoSuchAccess",
				"arn:aws:iam::222222222222:policy/p"} {
				if what, err := change(&arn); what != "" {
					wantRefusal(t, err, 403, "AccessDenied", fmt.Sprintf("Cannot %s outside your own account.", what))
				}
			}
			_, err := change(ptr("no ARN of anything at all"))
			wantRefusal(t, err, 400, "ValidationError", "ARN no ARN of anything at all is not valid.")
			_, err = change(ptr("arn:aws:iam::123456789012:role/p"))
			wantRefusal(t, err, 400, "InvalidInput", "ARN arn:aws:iam::123456789012:role/p is not valid.")
		})
	}
	for _, arn := range []string{"arn:aws:iam::222222222222:policy/p", "arn:aws-cn:iam::aws:policy/AdministratorAccess",
		"arn:aws-cn:iam::" + account + ":policy/p"} {
		refused(t, w.root, w.GetPolicy, &iam.GetPolicyInput{PolicyArn: &arn}, 404, "NoSuchEntity",
			"Policy "+arn+" was not found.")
	}
}

// AWS's policies exist in every account, with the ARNs of its partition.
func TestPoliciesOfAWS(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		p := must(t, w.root, w.GetPolicy, &iam.GetPolicyInput{PolicyArn: ptr(administrator)}).Policy
		at := time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC)
		sameOut(t, *p, types.Policy{
			PolicyName: ptr("AdministratorAccess"), PolicyId: ptr("ANPAIWMBCKSKIEE64ZLYK"), Arn: ptr(administrator),
			Path: ptr("/"), DefaultVersionId: ptr("v1"),
			IsAttachable: true, AttachmentCount: ptr(int32(0)), PermissionsBoundaryUsageCount: ptr(int32(0)),
			CreateDate: &at, UpdateDate: &at,
			Description: ptr("Provides full access to AWS services and resources."), Tags: []types.Tag{},
		})
		china := w.rootOf(t, "333333333333", "aws-cn")
		p = must(t, china, w.GetPolicy,
			&iam.GetPolicyInput{PolicyArn: ptr("arn:aws-cn:iam::aws:policy/AdministratorAccess")}).Policy
		if *p.Arn != "arn:aws-cn:iam::aws:policy/AdministratorAccess" {
			t.Errorf("%s", *p.Arn)
		}
		refused(t, china, w.GetPolicy, &iam.GetPolicyInput{PolicyArn: ptr(administrator)}, 404, "NoSuchEntity",
			"Policy "+administrator+" was not found.")
		for _, p := range must(t, china, w.ListPolicies, &identity.ListPoliciesInput{Scope: "AWS"}).Policies {
			if !strings.HasPrefix(*p.Arn, "arn:aws-cn:iam::aws:policy/") {
				t.Fatalf("%s", *p.Arn)
			}
		}
		tags := must(t, w.root, w.ListPolicyTags, &iam.ListPolicyTagsInput{PolicyArn: ptr(administrator)})
		sameOut(t, tags, &iam.ListPolicyTagsOutput{Tags: []types.Tag{}})
	})
}

// Policies for service-linked roles cannot be attached to anything else.
func TestServiceRolePolicies(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		const arn = "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy"
		entities := w.entities(t)
		for i, who := range []string{"User", "Group", "Customer Role"} {
			wantRefusal(t, entities[i].attach("worker", arn), 400, "PolicyNotAttachable",
				"Cannot attach a Service Role Policy to a "+who+".")
		}
		refused(t, w.root, w.PutUserPermissionsBoundary,
			&iam.PutUserPermissionsBoundaryInput{UserName: ptr("worker"), PermissionsBoundary: ptr(arn)},
			404, "NoSuchEntity", "Scope ARN: "+arn+" does not exist or is not attachable.")
	})
}
