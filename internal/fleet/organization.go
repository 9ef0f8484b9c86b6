package fleet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/smithy-go"

	"rollcall/internal/history"
)

// Organization is an organization of AWS Organizations.
type Organization struct {
	ID         string // begins with o-
	Management string // the management account
	Members    []Member
}

// Member is an account whose report is wanted.
type Member struct {
	Account string // twelve digits
	Name    string // its name, "" for none
	// Role is the ARN of the role to assume there. If it is "", Roles says
	// which role.
	Role string
	// Organization is the id of the organization that listed the account, ""
	// for none.
	Organization string
	// Inactive is the reason for not asking the account, "" for none.
	Inactive history.Status
}

// Organization lists the accounts of the caller's organization. It needs the
// permissions organizations:DescribeOrganization and :ListAccounts, which the
// management account and delegated administrators have.
func (c *Caller) Organization(ctx context.Context) (Organization, error) {
	client := organizations.NewFromConfig(c.cfg, func(o *organizations.Options) {
		o.BaseEndpoint = baseEndpoint(c.at.organizations)
	})
	out, err := client.DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return Organization{}, c.noOrganization(err)
	}
	if out.Organization == nil {
		return Organization{}, errors.New("describe organization: the answer has no organization")
	}
	o := Organization{ID: aws.ToString(out.Organization.Id), Management: aws.ToString(out.Organization.MasterAccountId)}
	pages := organizations.NewListAccountsPaginator(listAccounts(client.ListAccounts), &organizations.ListAccountsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return o, c.noOrganization(err)
		}
		for _, a := range page.Accounts {
			m := Member{Account: aws.ToString(a.Id), Name: aws.ToString(a.Name),
				Organization: o.ID, Inactive: inactive(a)}
			if !history.IsAccountID(m.Account) {
				return o, fmt.Errorf("list accounts: %q is not an account", m.Account)
			}
			o.Members = append(o.Members, m)
		}
	}
	return o, nil
}

// listAccounts is a call that the SDK's paginator takes as its client. The client
// itself would bring all actions of AWS Organizations into the program.
type listAccounts func(context.Context, *organizations.ListAccountsInput, ...func(*organizations.Options)) (
	*organizations.ListAccountsOutput, error)

// ListAccounts makes the call.
func (f listAccounts) ListAccounts(ctx context.Context, in *organizations.ListAccountsInput,
	options ...func(*organizations.Options)) (*organizations.ListAccountsOutput, error) {
	return f(ctx, in, options...)
}

// ManagesRoot says whether the caller's organization manages the root credentials of
// its members centrally. known is false if the caller may not ask, which takes the
// permission iam:ListOrganizationsFeatures in the management account.
func (c *Caller) ManagesRoot(ctx context.Context) (yes, known bool) {
	out, err := c.Account().IAM().ListOrganizationsFeatures(ctx, &iam.ListOrganizationsFeaturesInput{})
	if err != nil {
		return false, false
	}
	return slices.Contains(out.EnabledFeatures, iamtypes.FeatureTypeRootCredentialsManagement), true
}

// inactive returns the reason for not asking an account. It uses State. Status
// has fewer values, was retired by AWS on 9 September 2026, and counts only if
// there is no State.
func inactive(a types.Account) history.Status {
	switch cmp.Or(string(a.State), string(a.Status)) {
	case string(types.AccountStateSuspended):
		return history.Suspended
	case string(types.AccountStatePendingClosure):
		return history.Closing
	case string(types.AccountStateClosed):
		return history.Closed
	case string(types.AccountStatePendingActivation):
		return history.Pending
	}
	return "" // ACTIVE, or an unknown state: the request will show
}

// noOrganization adds to an error of another service than AWS's that it may not
// support organizations.
func (c *Caller) noOrganization(err error) error {
	var known smithy.APIError
	if c.at.organizations == "" || errors.As(err, &known) && known.ErrorFault() == smithy.FaultClient {
		return plain(err)
	}
	return configError(
		"the service at %s does not answer as AWS Organizations does; name the accounts in a file instead: %w",
		c.at.organizations, plain(err))
}

// Roles say how to reach accounts that do not name a role.
type Roles struct {
	Name       string // with its path: audit/ReadOnly
	ExternalID string // "" for none
	// Actions are the actions that sessions may call in addition to those for
	// reports.
	Actions []string
}

// DefaultRole is the role that Organizations creates in every account that it
// creates.
const DefaultRole = "OrganizationAccountAccessRole"

// Targets returns the members as targets of a run. The caller's own account is
// asked with the caller's own credentials, because it has no role for itself.
func (c *Caller) Targets(id Identity, members []Member, roles Roles) []Target {
	targets := make([]Target, len(members))
	for i, m := range members {
		t := Target{
			Account: m.Account, Name: oneLine(m.Name), Partition: id.Partition, Organization: m.Organization,
			Inactive: m.Inactive, Endpoint: c.at.iam, Caller: id.ARN,
		}
		role := m.Role
		if role == "" {
			role = "arn:" + id.Partition + ":iam::" + m.Account + ":role/" + roles.Name
		}
		if m.Account == id.Account && m.Role == "" {
			t.Open = func(context.Context) (*Account, error) { return New(c.once(), c.at.iam), nil }
		} else {
			t.Role = role
			t.Open = func(ctx context.Context) (*Account, error) { return c.assume(ctx, role, roles) }
		}
		targets[i] = t
	}
	return targets
}

// Own returns the caller's own account as a target of a run, named after the
// profile.
func (c *Caller) Own(id Identity, profile string) Target {
	t := c.Targets(id, []Member{{Account: id.Account, Name: profile}}, Roles{})[0]
	t.Profile = profile
	return t
}

// RecordLeft records that accounts have left the organization since an earlier
// run listed it. It returns these outcomes. The folder may contain accounts of
// other organizations too.
func (o Organization) RecordLeft(folder *history.Folder) ([]history.Outcome, error) {
	ids, err := folder.Accounts()
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for _, m := range o.Members {
		listed[m.Account] = true
	}
	var left []history.Outcome
	now := time.Now()
	for _, id := range ids {
		was, err := folder.Outcome(id)
		if listed[id] || err != nil || was.Organization != o.ID || was.Status == history.Left {
			continue // every reader reports a damaged outcome
		}
		was.Status, was.Message, was.GeneratedAt, was.At, was.Run = history.Left, "", time.Time{}, now, now
		if err := folder.SetOutcome(was); err != nil {
			return left, fmt.Errorf("record that account %s left: %w", id, err)
		}
		left = append(left, was)
	}
	return left, nil
}
