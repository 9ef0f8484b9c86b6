package service_test

import (
	"fmt"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/service"
	"rollcall/internal/store"
)

// raced are the rules that concern several rows: the racing calls, and how many
// succeed.
var raced = []struct {
	name  string
	limit string // the quota that is set to 9, or "" for IAM's own value
	wins  int
	first []string // calls before the race
	racer func(i int) string
}{
	{"users", "UsersPerAccount", 9, nil, func(i int) string {
		return call("CreateUser", fmt.Sprintf("UserName=r%d", i))
	}},
	{"groups", "GroupsPerAccount", 9, nil, func(i int) string {
		return call("CreateGroup", fmt.Sprintf("GroupName=r%d", i))
	}},
	{"roles", "RolesPerAccount", 9, nil, func(i int) string {
		return call("CreateRole",
			fmt.Sprintf("RoleName=r%d&AssumeRolePolicyDocument=%s", i, url.QueryEscape(racedTrust)))
	}},
	{"policies", "PoliciesPerAccount", 9, nil, func(i int) string {
		return call("CreatePolicy", fmt.Sprintf("PolicyName=r%d&PolicyDocument=%s", i, racedDocument))
	}},
	{"instance profiles", "InstanceProfilesPerAccount", 9, nil, func(i int) string {
		return call("CreateInstanceProfile", fmt.Sprintf("InstanceProfileName=r%d", i))
	}},
	{"OIDC providers", "OpenIdConnectProvidersPerAccount", 9, nil, func(i int) string {
		return call("CreateOpenIDConnectProvider",
			fmt.Sprintf("Url=https%%3A%%2F%%2Fr%d.example.com&ThumbprintList.member.1=%040d", i, 0))
	}},
	{"access keys", "AccessKeysPerUser", 9, []string{call("CreateUser", "UserName=u")}, func(int) string {
		return call("CreateAccessKey", "UserName=u")
	}},
	{"service credentials", "", 2, []string{call("CreateUser", "UserName=u")}, func(int) string {
		return call("CreateServiceSpecificCredential", "UserName=u&ServiceName=codecommit.amazonaws.com")
	}},
	{"groups of a user", "", 10, append(racedGroups(), call("CreateUser", "UserName=u")), func(i int) string {
		return call("AddUserToGroup", fmt.Sprintf("UserName=u&GroupName=g%d", i))
	}},
	{"attachments", "PoliciesPerUser", 9,
		append(racedPolicies(), call("CreateUser", "UserName=u")), func(i int) string {
			return call("AttachUserPolicy", fmt.Sprintf("UserName=u&PolicyArn=arn:aws:iam::%s:policy/p%d", account, i))
		}},
	{"versions of a policy", "", 4, []string{call("CreatePolicy", "PolicyName=p&PolicyDocument="+racedDocument)},
		func(int) string {
			return call("CreatePolicyVersion",
				fmt.Sprintf("SetAsDefault=true&PolicyArn=arn:aws:iam::%s:policy/p&PolicyDocument=%s", account,
					racedDocument))
		}},
	{"tags", "", 50, []string{call("CreateUser", "UserName=u")}, func(i int) string {
		return call("TagUser", fmt.Sprintf("UserName=u&Tags.member.1.Key=k%d&Tags.member.1.Value=v", i))
	}},
	{"a name", "", 1, nil, func(int) string { return call("CreateUser", "UserName=one") }},
	{"an alias", "", racers, nil, func(i int) string {
		return call("CreateAccountAlias", fmt.Sprintf("AccountAlias=alias-%d", i))
	}},
	{"a password policy", "", racers, nil, func(i int) string {
		return call("UpdateAccountPasswordPolicy", fmt.Sprintf("MinimumPasswordLength=%d", 6+i))
	}},
}

// racers is the number of racing calls.
const racers = 64

// fewConnections gives each node eight sessions of PostgreSQL. Starting more
// takes longer than the race.
func fewConnections(db store.Config) store.Config {
	if db.URL != "" {
		db.URL += "&pool_max_conns=8"
	}
	return db
}

const racedTrust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},` +
	`"Action":"sts:AssumeRole"}}`

var racedDocument = url.QueryEscape(
	`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}}`)

func racedGroups() (calls []string) {
	for i := range racers {
		calls = append(calls, call("CreateGroup", fmt.Sprintf("GroupName=g%d", i)))
	}
	return calls
}

func racedPolicies() (calls []string) {
	for i := range racers {
		calls = append(calls, call("CreatePolicy", fmt.Sprintf("PolicyName=p%d&PolicyDocument=%s", i, racedDocument)))
	}
	return calls
}

// Rules that concern several rows are exact in every race, on one node and on
// two, and no call fails with an internal error.
func TestRaces(t *testing.T) {
	t.Parallel()
	for engine, open := range sharedStores {
		for _, r := range raced {
			t.Run(engine+"/"+r.name, func(t *testing.T) {
				t.Parallel()
				// Under the race detector a call takes long on a slow machine.
				one, two := twoNodes(t, fewConnections(open(t)), service.Config{CallTimeout: time.Minute})
				if r.limit != "" {
					if err := one.IAM.SetLimits(t.Context(), account, map[string]int{r.limit: 9}); err != nil {
						t.Fatal(err)
					}
				}
				for _, form := range r.first {
					if a := one.raw(t, form); a.status != 200 {
						t.Fatal(a.body)
					}
				}
				var won atomic.Int64
				var wait sync.WaitGroup
				for i := range racers {
					wait.Go(func() {
						a := []*world{one, two}[i%2].raw(t, r.racer(i))
						switch {
						case a.status == 200:
							won.Add(1)
						case a.status != 409:
							t.Errorf("%s", a.body)
						}
					})
				}
				wait.Wait()
				if won := int(won.Load()); won != r.wins {
					t.Errorf("%d of %d won, want %d", won, racers, r.wins)
				}
			})
		}
	}
}

// The stored number of users stays equal to the number of rows while calls
// create and delete users.
func TestRacesOfTheUserCount(t *testing.T) {
	t.Parallel()
	for engine, open := range sharedStores {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			one, two := twoNodes(t, fewConnections(open(t)), service.Config{})
			var wait sync.WaitGroup
			for i := range racers {
				wait.Go(func() {
					w, name := []*world{one, two}[i%2], fmt.Sprintf("UserName=r%d", i%16)
					for _, action := range []string{"CreateUser", "DeleteUser", "CreateUser"} {
						if a := w.raw(t, call(action, name)); a.status >= 500 {
							t.Errorf("%s: %s", action, a.body)
						}
					}
				})
			}
			wait.Wait()
			users := len(must(t, one.root.ListUsers, &iam.ListUsersInput{}).Users)
			summary := must(t, two.root.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap
			if int(summary["Users"]) != users {
				t.Errorf("%d users are counted, %d are there", summary["Users"], users)
			}
		})
	}
}
