// Package organizations is the part of AWS Organizations by which tools find the
// accounts of an organisation. It reads what operators set by 'rollcall account
// organization', and changes nothing.
//
// It promises that only the management account learns of other members. A member
// learns who manages it, as at AWS, and an account of no organisation learns nothing.
package organizations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
)

// Service is Organizations on a store.
type Service struct{ iam *identity.Service }

// New returns Organizations on the store of iam.
func New(iam *identity.Service) *Service { return &Service{iam} }

// Actions lists every action of Organizations that is served.
func (s *Service) Actions() []api.Action {
	return []api.Action{
		api.Bind(s.DescribeOrganization, api.Reads, api.On(api.Everything)),
		api.Bind(s.ListAccounts, api.Reads, api.On(api.Everything), api.Record("MaxResults", "NextToken")),
		api.Bind(s.DescribeAccount, api.Reads, api.On(api.ByMembers(s.account, "AccountId")),
			api.Record("AccountId")),
		api.Bind(s.ListDelegatedAdministrators, api.Reads,
			api.On(api.Everything, api.Member("organizations:ServicePrincipal", "ServicePrincipal")),
			api.Record("ServicePrincipal", "MaxResults", "NextToken")),
	}
}

// fail returns an error for the client.
var fail = awsmodel.Fail

// ptr returns a member of an output.
func ptr[T any](v T) *T { return &v }

// account finds the account that an action is on, for authorization.
func (s *Service) account(ctx context.Context, c principal.Caller, values []string) ([]api.Resource, error) {
	o, ok, err := s.iam.OrganizationOf(ctx, c.Account())
	if err != nil || !ok {
		return []api.Resource{{ARN: "*"}}, err
	}
	return []api.Resource{{ARN: accountARN(c, &o, values[0])}}, nil
}

func accountARN(c principal.Caller, o *identity.Organization, id string) string {
	return "arn:" + c.Partition() + ":organizations::" + o.Management + ":account/" + o.ID + "/" + id
}

// joined returns the organisation of the caller's account. The texts here and in
// managed are those that users of AWS quote.
func (s *Service) joined(ctx context.Context) (principal.Caller, identity.Organization, error) {
	c := principal.Of(ctx)
	o, ok, err := s.iam.OrganizationOf(ctx, c.Account())
	if err == nil && !ok {
		err = fail("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
	}
	return c, o, err
}

// managed returns the organisation that the caller's account manages.
func (s *Service) managed(ctx context.Context) (principal.Caller, identity.Organization, error) {
	c, o, err := s.joined(ctx)
	if err == nil && o.Management != c.Account() {
		err = fail("AccessDeniedException", "You don't have permissions to access this resource.")
	}
	return c, o, err
}

// DescribeOrganization returns the organisation of the caller, even to members
// (Organizations API reference: "from any account in an organization").
func (s *Service) DescribeOrganization(
	ctx context.Context, _ *organizations.DescribeOrganizationInput,
) (*organizations.DescribeOrganizationOutput, error) {
	c, o, err := s.joined(ctx)
	if err != nil {
		return nil, err
	}
	return &organizations.DescribeOrganizationOutput{Organization: &types.Organization{
		Id: &o.ID, Arn: ptr("arn:" + c.Partition() + ":organizations::" + o.Management + ":organization/" + o.ID),
		FeatureSet: types.OrganizationFeatureSetAll, MasterAccountId: &o.Management,
		MasterAccountArn: ptr(accountARN(c, &o, o.Management)), MasterAccountEmail: ptr(email(o.Management)),
		AvailablePolicyTypes: []types.PolicyTypeSummary{{
			Type: types.PolicyTypeServiceControlPolicy, Status: types.PolicyTypeStatusEnabled,
		}},
	}}, nil
}

// email returns an address for an account. Clients expect one, and accounts here
// have none. Nobody can own a name below .invalid (RFC 2606).
func email(account string) string { return "root@" + account + ".invalid" }

// maxPage is the number of accounts of a page. ListAccounts, MaxResults.
const maxPage = 20

// ListAccounts lists the accounts of the organisation, the management account
// included.
func (s *Service) ListAccounts(
	ctx context.Context, in *organizations.ListAccountsInput,
) (*organizations.ListAccountsOutput, error) {
	c, o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	after, err := s.after(c, "organizations:ListAccounts", in.NextToken)
	if err != nil {
		return nil, err
	}
	limit := maxPage
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	found, err := s.iam.OrganizationAccounts(ctx, o.Management, after, limit+1)
	if err != nil {
		return nil, err
	}
	out := &organizations.ListAccountsOutput{Accounts: []types.Account{}}
	for i := range found[:min(limit, len(found))] {
		out.Accounts = append(out.Accounts, accountOut(c, &o, &found[i]))
	}
	if len(found) > limit {
		token, err := s.iam.ListToken(c, "organizations:ListAccounts", found[limit-1].ID)
		if err != nil {
			return nil, err
		}
		out.NextToken = &token
	}
	return out, nil
}

// after reads a NextToken.
func (s *Service) after(c principal.Caller, list string, token *string) (string, error) {
	if token == nil {
		return "", nil
	}
	after, ok := s.iam.ReadListToken(c, list, *token)
	if !ok {
		// The text is a guess.
		return "", &awsmodel.Error{Code: "InvalidInputException", Message: "You provided an invalid NextToken.",
			Reason: string(types.InvalidInputExceptionReasonInvalidPaginationToken)}
	}
	return after, nil
}

func accountOut(c principal.Caller, o *identity.Organization, a *identity.OrganizationAccount) types.Account {
	return types.Account{
		Id: &a.ID, Arn: ptr(accountARN(c, o, a.ID)), Email: ptr(email(a.ID)), Name: &a.Name,
		Status: types.AccountStatusActive, State: types.AccountStateActive,
		JoinedMethod: a.Method, JoinedTimestamp: &a.Joined,
	}
}

// DescribeAccount returns one account of the organisation.
func (s *Service) DescribeAccount(
	ctx context.Context, in *organizations.DescribeAccountInput,
) (*organizations.DescribeAccountOutput, error) {
	c, o, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	a, ok, err := s.iam.OrganizationAccount(ctx, o.Management, *in.AccountId)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fail("AccountNotFoundException", "You specified an account that doesn't exist.")
	}
	return &organizations.DescribeAccountOutput{Account: ptr(accountOut(c, &o, &a))}, nil
}

// ListDelegatedAdministrators lists no account: there is no way to delegate.
func (s *Service) ListDelegatedAdministrators(
	ctx context.Context, in *organizations.ListDelegatedAdministratorsInput,
) (*organizations.ListDelegatedAdministratorsOutput, error) {
	c, _, err := s.managed(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.after(c, "organizations:ListDelegatedAdministrators", in.NextToken); err != nil {
		return nil, err
	}
	return &organizations.ListDelegatedAdministratorsOutput{
		DelegatedAdministrators: []types.DelegatedAdministrator{},
	}, nil
}
