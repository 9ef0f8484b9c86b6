package service_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/organizations"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/service"
)

// organizationsActions is a good request of each action of Organizations, and the
// resource that a policy needs to name.
var organizationsActions = map[string]struct{ body, resource string }{
	"DescribeOrganization":        {`{}`, "*"},
	"ListAccounts":                {`{"MaxResults":20}`, "*"},
	"DescribeAccount":             {`{"AccountId":"222222222222"}`, "arn:aws:organizations::123456789012:account/"},
	"ListDelegatedAdministrators": {`{"ServicePrincipal":"x.amazonaws.com"}`, "*"},
}

const (
	jsonType     = "application/x-amz-json-1.1"
	targetPrefix = "AWSOrganizationsV20161128."
	noPermission = "You don't have permissions to access this resource."
	noUse        = "Your account is not a member of an organization."
)

// json11 makes an unsigned request of an action of Organizations.
func (w *world) json11(t testing.TB, target, body string) *http.Request {
	t.Helper()
	r := w.request(t, "POST", "/", strings.NewReader(body))
	r.Header.Set("Content-Type", jsonType)
	r.Header.Set("X-Amz-Target", target)
	return r
}

// callJSON sends a request of Organizations as somebody.
func (w *world) callJSON(t testing.TB, c clients, target, body string) answer {
	t.Helper()
	r := w.json11(t, target, body)
	w.sign(r, body, c, "us-east-1", "organizations")
	return sendJSON(t, r)
}

// sendJSON sends a request whose answer must be JSON 1.1.
func sendJSON(t testing.TB, r *http.Request) answer {
	t.Helper()
	a := send(t, r)
	readJSON(t, &a)
	return a
}

func readJSON(t testing.TB, a *answer) {
	t.Helper()
	var refused struct {
		Type    string `json:"__type"`
		Message string
	}
	err := json.Unmarshal([]byte(a.body), &refused)
	if err != nil || a.header.Get("Content-Type") != jsonType ||
		a.header.Get("X-Amzn-Errortype") != refused.Type || (refused.Type == "") != (a.status == 200) {
		t.Errorf("%d %v: %s, %v", a.status, a.header, a.body, err)
	}
	a.code, a.message = refused.Type, refused.Message
}

// organization makes the world's account the management account of a member, and
// returns clients of the member's root.
func (w *world) organization(t testing.TB, member string) clients {
	t.Helper()
	key := w.newAccount(t, identity.AccountSpec{ID: member, Management: account, Alias: "alias-" + member})
	return w.as(key.ID, key.Secret.Reveal())
}

// The management account reads its organization through the SDK.
func TestOrganizations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		refused(t, w.root.organizations.DescribeOrganization, &organizations.DescribeOrganizationInput{}, 400,
			"AWSOrganizationsNotInUseException", noUse)
		w.clock.advance(time.Hour)
		w.organization(t, "222222222222")
		w.newAccount(t, identity.AccountSpec{ID: "333333333333"})
		if err := w.IAM.ManageAccounts(t.Context(), account, []string{"333333333333"}); err != nil {
			t.Fatal(err)
		}
		o := must(t, w.root.organizations.DescribeOrganization, &organizations.DescribeOrganizationInput{}).Organization
		if !regexp.MustCompile(`^o-[a-z0-9]{10}$`).MatchString(*o.Id) {
			t.Errorf("id %s", *o.Id)
		}
		arn := func(id string) *string {
			return ptr("arn:aws:organizations::" + account + ":account/" + *o.Id + "/" + id)
		}
		same(t, o, &types.Organization{
			Id: o.Id, Arn: ptr("arn:aws:organizations::" + account + ":organization/" + *o.Id),
			FeatureSet: types.OrganizationFeatureSetAll, MasterAccountId: ptr(account), MasterAccountArn: arn(account),
			MasterAccountEmail: ptr("root@" + account + ".invalid"),
			AvailablePolicyTypes: []types.PolicyTypeSummary{{
				Type: types.PolicyTypeServiceControlPolicy, Status: types.PolicyTypeStatusEnabled}},
		})
		joined := began.Add(time.Hour)
		want := func(id, name string, how types.AccountJoinedMethod) types.Account {
			return types.Account{Id: ptr(id), Arn: arn(id), Name: ptr(name), Email: ptr("root@" + id + ".invalid"),
				Status: types.AccountStatusActive, State: types.AccountStateActive, JoinedMethod: how,
				JoinedTimestamp: &joined}
		}
		all := []types.Account{
			want(account, account, types.AccountJoinedMethodInvited),
			want("222222222222", "alias-222222222222", types.AccountJoinedMethodCreated),
			want("333333333333", "333333333333", types.AccountJoinedMethodInvited),
		}
		same(t, must(t, w.root.organizations.ListAccounts, &organizations.ListAccountsInput{}),
			&organizations.ListAccountsOutput{Accounts: all})
		var paged []types.Account
		pages := organizations.NewListAccountsPaginator(w.root.organizations,
			&organizations.ListAccountsInput{MaxResults: ptr[int32](1)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			paged = append(paged, page.Accounts...)
		}
		same(t, paged, all)
		same(t, must(t, w.root.organizations.DescribeAccount,
			&organizations.DescribeAccountInput{AccountId: ptr("222222222222")}),
			&organizations.DescribeAccountOutput{Account: &all[1]})
		same(t, must(t, w.root.organizations.ListDelegatedAdministrators,
			&organizations.ListDelegatedAdministratorsInput{}),
			&organizations.ListDelegatedAdministratorsOutput{DelegatedAdministrators: []types.DelegatedAdministrator{}})
		// An account that left is no longer listed.
		if err := w.IAM.LeaveOrganization(t.Context(), "222222222222"); err != nil {
			t.Fatal(err)
		}
		same(t, must(t, w.root.organizations.ListAccounts, &organizations.ListAccountsInput{}).Accounts,
			[]types.Account{all[0], all[2]})
	})
}

// A member can only read which account manages it. Accounts of another
// organization, or without one, can read nothing, not even with root's key, and
// with any token.
func TestOrganizationsOfOthers(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	member := w.organization(t, "222222222222")
	w.organization(t, "333333333333")
	token := *must(t, w.root.organizations.ListAccounts,
		&organizations.ListAccountsInput{MaxResults: ptr[int32](1)}).NextToken
	stranger := w.newAccount(t, identity.AccountSpec{ID: "444444444444"})
	other := w.newAccount(t, identity.AccountSpec{ID: "555555555555"})
	if err := w.IAM.ManageAccounts(t.Context(), "555555555555", nil); err != nil {
		t.Fatal(err)
	}
	for action, c := range organizationsActions {
		got := w.callJSON(t, member, targetPrefix+action, c.body)
		if action != "DescribeOrganization" {
			wants(t, got, 400, "AccessDeniedException", noPermission)
		}
		got = w.callJSON(t, w.as(stranger.ID, stranger.Secret.Reveal()), targetPrefix+action, c.body)
		wants(t, got, 400, "AWSOrganizationsNotInUseException", noUse)
	}
	own := must(t, w.root.organizations.DescribeOrganization, &organizations.DescribeOrganizationInput{}).Organization
	read := must(t, member.organizations.DescribeOrganization, &organizations.DescribeOrganizationInput{}).Organization
	same(t, read, own)
	theirs := w.as(other.ID, other.Secret.Reveal()).organizations
	refused(t, theirs.DescribeAccount, &organizations.DescribeAccountInput{AccountId: ptr("222222222222")}, 400,
		"AccountNotFoundException", "You specified an account that doesn't exist.")
	refused(t, theirs.ListAccounts, &organizations.ListAccountsInput{NextToken: &token}, 400, "InvalidInputException",
		"You provided an invalid NextToken.")
	list := must(t, theirs.ListAccounts, &organizations.ListAccountsInput{}).Accounts
	if len(list) != 1 || *list[0].Id != "555555555555" {
		t.Errorf("another organization lists %+v", list)
	}
	got := w.callJSON(t, w.root, targetPrefix+"ListDelegatedAdministrators", `{"NextToken":"`+token+`"}`)
	wants(t, got, 400, "InvalidInputException", "You provided an invalid NextToken.")
	if !strings.Contains(got.body, `"Reason":"INVALID_NEXT_TOKEN"`) {
		t.Error(got.body)
	}
}

// Policies decide about these actions too, and sessions of users may call them.
func TestOrganizationsAuthorization(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.organization(t, "222222222222")
	id := *must(t, w.root.organizations.DescribeOrganization, &organizations.DescribeOrganizationInput{}).Organization.Id
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	stranger := clients{id: "AKIAIOSFODNN7EXAMPLE", key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	if served := slices.Sorted(maps.Keys(organizationsActions)); !slices.Equal(served, servedBy("organizations")) {
		t.Errorf("the table has %q", served)
	}
	for action, c := range organizationsActions {
		resource, target := c.resource, targetPrefix+action
		if strings.HasPrefix(resource, "arn:") {
			resource += id + "/222222222222"
		}
		denied := fmt.Sprintf("User: %s/Ann is not authorized to perform: organizations:%s on resource: %s", userPath,
			action, resource)
		wants(t, w.callJSON(t, ann, target, c.body), 400, "AccessDeniedException",
			denied+" because no identity-based policy allows the organizations:"+action+" action")
		w.putUserPolicy(t, "Ann", ptr(`{"Version":"2012-10-17","Statement":{"Effect":"Allow",
			"Action":"organizations:`+action+`","Resource":"`+resource+`"}}`))
		if got := w.callJSON(t, ann, target, c.body); got.status != 200 {
			t.Errorf("%s: %s", action, got.body)
		}
		wants(t, sendJSON(t, w.json11(t, target, c.body)), 400, "MissingAuthenticationTokenException",
			"Request is missing Authentication Token")
		wants(t, w.callJSON(t, stranger, target, c.body), 400, "UnrecognizedClientException", invalidToken)
		got := w.callJSON(t, clients{id: ann.id, key: stranger.key}, target, c.body)
		wants(t, got, 400, "InvalidSignatureException", got.message)
	}
	w.putUserPolicy(t, "Ann", ptr(allowAll))
	session := must(t, ann.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials
	cfg := w.sdkConfig("", "")
	cfg.Credentials = credentials.NewStaticCredentialsProvider(*session.AccessKeyId, *session.SecretAccessKey,
		*session.SessionToken)
	must(t, w.clientsOf(cfg, "", "").organizations.ListAccounts, &organizations.ListAccountsInput{})
}

// servedBy names the operations of a service that the model has.
func servedBy(service string) (names []string) {
	for _, op := range awsmodel.Operations(service) {
		names = append(names, op.Name)
	}
	return names
}

// Every call of Organizations leaves a record, even if it is refused.
func TestOrganizationsTrail(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	member := w.organization(t, "222222222222")
	w.trail.lines()
	w.callJSON(t, w.root, targetPrefix+"DescribeAccount", `{"AccountId":"222222222222"}`)
	w.callJSON(t, member, targetPrefix+"ListAccounts", `{}`)
	w.callJSON(t, w.root, targetPrefix+"CreateAccount", `{}`)
	lines := w.trail.lines()
	for i, texts := range [][]string{
		{`"eventSource":"organizations.amazonaws.com","eventName":"DescribeAccount"`,
			`"requestParameters":{"accountId":"222222222222"}`, `"readOnly":true`, `"responseElements":null`},
		{`"eventName":"ListAccounts"`, `"errorCode":"AccessDeniedException"`, `"recipientAccountId":"222222222222"`},
		{`"eventSource":"organizations.amazonaws.com"`, `"errorCode":"UnknownOperationException"`},
	} {
		for _, text := range texts {
			if i >= len(lines) || !strings.Contains(lines[i], text) {
				t.Errorf("record %d of %q lacks %s", i, lines, text)
			}
		}
	}
	if len(lines) != 3 {
		t.Errorf("%d records", len(lines))
	}
	used := must(t, w.root.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &w.rootKey.ID})
	if s := *used.AccessKeyLastUsed.ServiceName; s != "organizations" && s != "iam" {
		t.Errorf("the key was used for %s", s)
	}
}

// A call that cannot be parsed, or is meant for another service, is refused before
// it has any effect.
func TestOrganizationsRequests(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.organization(t, "222222222222")
	const list, describe = targetPrefix + "ListAccounts", targetPrefix + "DescribeAccount"
	deep := strings.Repeat("[", 200_000)
	unread := func(why string) [2]string {
		return [2]string{"SerializationException", "Cannot read the request: " + why + "."}
	}
	invalid := func(where, must string) [2]string {
		return [2]string{"InvalidInputException", "1 validation error detected: Value at '" + where +
			"' failed to satisfy constraint: Member must " + must}
	}
	unserved := func(target string) [2]string {
		return [2]string{"UnknownOperationException", "Rollcall does not serve " + target + "."}
	}
	for name, c := range map[string]struct {
		target, body string
		want         [2]string // code and message
	}{
		"no object":      {list, `[]`, unread("the body is not a JSON object")},
		"nothing":        {list, ``, unread("the body is not a JSON object")},
		"no JSON":        {list, `{"a"`, unread("the body is not JSON")},
		"an open object": {list, `{"a":1`, unread("the body is not JSON")},
		"two objects":    {list, `{}{}`, unread("the body continues after its object")},
		"no UTF-8":       {list, "{\"NextToken\":\"\xff\"}", unread("the body is not UTF-8")},
		"a member twice": {describe, `{"AccountId":"222222222222","AccountId":"333333333333"}`,
			unread("member AccountId is given more than once")},
		"a wrong type":   {describe, `{"AccountId":222222222222}`, unread("member AccountId must be a string")},
		"no integer":     {list, `{"MaxResults":"5"}`, unread("member MaxResults must be an integer")},
		"a huge integer": {list, `{"MaxResults":99999999999}`, unread("member MaxResults must be an integer")},
		"deep":           {list, `{"a":` + deep + `}`, unread("the body is not JSON")},
		"too many":       {list, `{"MaxResults":21}`, invalid("maxResults", "have value less than or equal to 20")},
		"no account":     {describe, `{}`, invalid("accountId", "not be null")},
		"nobody's account": {describe, `{"AccountId":"999999999999"}`,
			[2]string{"AccountNotFoundException", "You specified an account that doesn't exist."}},
		"a wrong token": {list, `{"NextToken":"x"}`,
			[2]string{"InvalidInputException", "You provided an invalid NextToken."}},
		"another action":   {targetPrefix + "CreateAccount", `{}`, unserved(targetPrefix + "CreateAccount")},
		"an action of IAM": {targetPrefix + "GetUser", `{}`, unserved(targetPrefix + "GetUser")},
		"another service":  {"AWSOrganizationsV2.ListAccounts", `{}`, unserved("AWSOrganizationsV2.ListAccounts")},
		"no target":        {"", `{}`, unserved("what has no X-Amz-Target")},
	} {
		t.Run(name, func(t *testing.T) {
			wants(t, w.callJSON(t, w.root, c.target, c.body), 400, c.want[0], c.want[1])
		})
	}
	// Unknown members and null are ignored, as on AWS.
	if got := w.callJSON(t, w.root, list, `{"Other":{"a":[1]},"MaxResults":null}`); got.status != 200 {
		t.Error(got.body)
	}
	t.Run("signed for IAM", func(t *testing.T) {
		r := w.json11(t, list, `{}`)
		w.sign(r, `{}`, w.root, "us-east-1", "iam")
		wants(t, sendJSON(t, r), 400, "InvalidSignatureException",
			"Credential should be scoped to correct service: 'organizations'.")
		form := call("ListUsers", "")
		r = w.post(t, "/", form)
		w.sign(r, form, w.root, "us-east-1", "organizations")
		wants(t, send(t, r), 403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'iam'.")
	})
	t.Run("another target than the signed one", func(t *testing.T) {
		r := w.json11(t, targetPrefix+"DescribeOrganization", `{}`)
		w.sign(r, `{}`, w.root, "us-east-1", "organizations")
		r.Header.Set("X-Amz-Target", list)
		got := sendJSON(t, r)
		wants(t, got, 400, "InvalidSignatureException", got.message)
	})
	t.Run("an unsigned body that is large", func(t *testing.T) {
		body := `{"NextToken":"` + strings.Repeat("x", 50_000) + `"}`
		wants(t, sendJSON(t, w.json11(t, list, body)), 400, "MissingAuthenticationTokenException",
			"Request is missing Authentication Token")
		got := w.callJSON(t, w.root, list, `{"NextToken":"`+strings.Repeat("x", 2<<20)+`"}`)
		wants(t, got, 413, "RequestEntityTooLargeException", got.message)
	})
}

// FuzzOrganizations sends its input as the target and the body of a call that root
// of a member signs. The answer is always JSON, never the server's fault, and
// leaves one record. Only DescribeOrganization succeeds.
func FuzzOrganizations(f *testing.F) {
	for action, c := range organizationsActions {
		f.Add(targetPrefix+action, c.body)
	}
	f.Add(targetPrefix+"ListAccounts", `{"NextToken":"\ud800","NextToken":""}`)
	f.Add("x", `{"MaxResults":1e1}`)
	records := &sink{}
	w := newWorld(f, service.Config{Trail: unlimited(records)})
	member := w.organization(f, "222222222222")
	records.lines()
	f.Fuzz(func(t *testing.T, target, body string) {
		if !validHeader("X-Amz-Target", target) || target != strings.TrimSpace(target) {
			return
		}
		r := httptest.NewRequestWithContext(context.Background(), "POST", w.url+"/", strings.NewReader(body))
		r.RequestURI, r.RemoteAddr = "", "127.0.0.1:1"
		r.Header.Set("Content-Type", jsonType)
		r.Header.Set("X-Amz-Target", target)
		w.sign(r, body, member, "us-east-1", "organizations")
		got := httptest.NewRecorder()
		w.Handler.ServeHTTP(got, r)
		lines := records.lines()
		a := answer{failure: failure{status: got.Code}, header: got.Header(), body: got.Body.String()}
		readJSON(t, &a)
		succeeded := a.status == 200 && target != targetPrefix+"DescribeOrganization"
		if succeeded || a.status >= 500 || len(lines) != 1 || lines[0] == "" {
			t.Errorf("%d with %d records: %s", a.status, len(lines), a.body)
		}
	})
}
