package api_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/api"
	"rollcall/internal/principal"
	"rollcall/internal/trail"
)

func createUser(context.Context, *iam.CreateUserInput) (*iam.CreateUserOutput, error) {
	return nil, nil
}

// A registration that names something that the method does not have is refused
// when the program starts.
func TestBindRefuses(t *testing.T) {
	named := func(members ...string) api.Target {
		return api.ByMembers(
			func(context.Context, principal.Caller, []string) ([]api.Resource, error) { return nil, nil },
			members...)
	}
	tagging := api.Tagging("iam:TagUser")
	for name, c := range map[string]struct {
		effect api.Effect
		parts  []api.Part
		want   string
	}{
		"good":      {api.Changes, []api.Part{api.On(named("Path", "UserName", "")), tagging}, ""},
		"no effect": {0, []api.Part{api.On(named("UserName")), tagging}, "no effect 0"},
		"no such member": {api.Changes, []api.Part{api.On(named("Usrname")), tagging},
			"iam.CreateUserInput has no member Usrname"},
		"no text": {api.Changes, []api.Part{api.On(named("Tags")), tagging},
			"member Tags of iam.CreateUserInput is not a text"},
		"not exported": {api.Changes, []api.Part{api.On(named("noSmithyDocumentSerde")), tagging},
			"has no member noSmithyDocumentSerde"},
		"no such member of a key": {api.Changes, []api.Part{api.On(named(), api.Member("iam:PolicyARN", "PolicyArn")),
			tagging}, "condition key iam:PolicyARN: iam.CreateUserInput has no member PolicyArn"},
		"key of another input": {api.Changes,
			[]api.Part{api.On(named(), api.Values("k", func(*iam.GetUserInput) []string { return nil })), tagging},
			"a part is about iam.GetUserInput, and the method about iam.CreateUserInput"},
		"target of another input": {api.Changes, []api.Part{api.On(api.ByInput(
			func(context.Context, principal.Caller, *iam.GetUserInput) ([]api.Resource, error) { return nil, nil })),
			tagging},
			"a part is about iam.GetUserInput"},
		"more needs of another input": {api.Changes, []api.Part{api.On(named()), tagging, api.Also(
			func(context.Context, principal.Caller, *iam.GetUserInput) ([]api.Need, error) { return nil, nil })},
			"a part is about iam.GetUserInput"},
		"identity of another output": {api.Issues, []api.Part{api.Unsigned(
			func(*iam.CreateUserInput, *iam.GetUserOutput) trail.Identity { return trail.Identity{} })},
			"a part is about iam.GetUserOutput"},
		"nobody decides": {api.Changes, []api.Part{tagging}, "needs one of On, Free, Decides and Unsigned"},
		"two decide": {api.Changes, []api.Part{api.On(named()), tagging, api.Free},
			"needs one of On, Free, Decides and Unsigned"},
		"tags and no tagging": {api.Changes, []api.Part{api.On(named())},
			"its input has Tags, and no Tagging says which permission they need"},
		"nothing to record": {api.Changes, []api.Part{api.On(named()), tagging, api.Record("Usrname")},
			"has a member Usrname"},
		"recorded in all cases": {api.Changes, []api.Part{api.On(named()), tagging, api.Record("UserName")},
			"the trail keeps UserName of every action"},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				got := ""
				if p := recover(); p != nil {
					got = fmt.Sprint(p)
				}
				if !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
					t.Errorf("panic %q, want one with %q", got, c.want)
				}
			}()
			api.Bind(createUser, c.effect, c.parts...)
		})
	}
	t.Run("tagging without tags", func(t *testing.T) {
		defer func() {
			if p := recover(); !strings.Contains(fmt.Sprint(p), "iam.GetUserInput has no Tags") {
				t.Error(p)
			}
		}()
		var calls int
		getUser(&calls, nil, tagging)
	})
}

// No registration may record a member that AWS's model marks as secret.
func TestBindRefusesToRecordSecrets(t *testing.T) {
	defer func() {
		if p := recover(); !strings.Contains(fmt.Sprint(p), "Password is a secret") {
			t.Errorf("panic %v", p)
		}
	}()
	api.Bind(func(context.Context, *iam.CreateLoginProfileInput) (*iam.CreateLoginProfileOutput, error) {
		return nil, nil
	},
		api.Changes, api.On(api.Everything), api.Record("Password"))
}

// funnel returns an API of some actions, its trail and its log.
func funnel(t testing.TB, actions ...api.Action) (a *api.API, records, log *strings.Builder) {
	records, log = &strings.Builder{}, &strings.Builder{}
	return api.New(actions, people(t), trail.New(records), slog.New(slog.NewTextHandler(log, nil)), time.Now), records,
		log
}

// A panic in any part of a call, not only in its action, leads to an answer and
// a record.
func TestInvokePanicAnywhere(t *testing.T) {
	type (
		in  = iam.GetUserInput
		out = iam.GetUserOutput
	)
	fine := func(context.Context, *in) (*out, error) { return &out{}, nil }
	everything := api.On(api.Everything)
	for name, c := range map[string]struct {
		action api.Action
		seen   func(principal.Caller, string, string)
	}{
		"resources": {action: api.Bind(fine, api.Reads, api.On(api.ByInput(
			func(context.Context, principal.Caller, *in) ([]api.Resource, error) { panic("secret") })))},
		"more needs": {action: api.Bind(fine, api.Reads, everything, api.Also(
			func(context.Context, principal.Caller, *in) ([]api.Need, error) { panic("secret") }))},
		"grant": {action: api.Bind(fine, api.Reads, everything, api.Granted(
			func(context.Context) (bool, error) { panic("secret") }))},
		"observer": {
			action: api.Bind(fine, api.Reads, everything),
			seen:   func(principal.Caller, string, string) { panic("secret") },
		},
		"who showed a proof": {action: api.Bind(fine, api.Reads, api.Unsigned(
			func(*in, *out) trail.Identity { panic("secret") }))},
	} {
		t.Run(name, func(t *testing.T) {
			a, records, log := funnel(t, c.action)
			a.Observe(c.seen)
			out, refused := a.Invoke(t.Context(), signed(t, ann), c.action, &iam.GetUserInput{},
				api.Call{RequestID: "the-request"})
			if out != nil || refused == nil || refused.Code != "ServiceFailure" {
				t.Errorf("answer %v, refused %v", out, refused)
			}
			text := records.String()
			if strings.Count(text, "\n") != 1 || !strings.Contains(text, `"errorCode":"ServiceFailure"`) ||
				strings.Contains(text, "secret") {
				t.Errorf("records: %s", text)
			}
			if !strings.Contains(log.String(), "GetUser: panic: secret") {
				t.Errorf("log: %s", log)
			}
		})
	}
}

// An action without a signature runs for every caller, even if the caller is
// known. An action with a signature only runs for a caller.
func TestInvokeWithoutSignature(t *testing.T) {
	var calls int
	free := getUser(&calls, nil)
	a, records, _ := funnel(t, free)
	if _, refused := a.Invoke(t.Context(), nil, free, &iam.GetUserInput{}, api.Call{}); refused == nil ||
		refused.Code != "MissingAuthenticationToken" || calls != 0 {
		t.Errorf("refused %v, %d calls", refused, calls)
	}
	if text := records.String(); !strings.Contains(text, `"userIdentity":{"type":"Unknown"}`) {
		t.Errorf("record %s", text)
	}
	shown := api.Bind(func(ctx context.Context, _ *iam.GetUserInput) (*iam.GetUserOutput, error) {
		if api.CallOf(ctx).SourceIP != "192.0.2.1" {
			t.Error("the call is not known")
		}
		return &iam.GetUserOutput{}, nil
	}, api.Issues, api.Unsigned(func(_ *iam.GetUserInput, out *iam.GetUserOutput) trail.Identity {
		if out == nil {
			t.Error("no answer")
		}
		return trail.Identity{Type: trail.SAMLUser}
	}))
	for name, who := range map[string]*principal.Caller{"nobody": nil, "somebody": signed(t, ann)} {
		a, records, _ := funnel(t, shown)
		if _, refused := a.Invoke(t.Context(), who, shown, &iam.GetUserInput{},
			api.Call{SourceIP: "192.0.2.1"}); refused != nil {
			t.Errorf("%s: %v", name, refused)
		}
		if text := records.String(); !strings.Contains(text, `"type":"SAMLUser"`) || strings.Contains(text, "Ann") {
			t.Errorf("%s: record %s", name, text)
		}
	}
}

// The trail records the members in an action's registration and those of all
// actions.
func TestRecord(t *testing.T) {
	action := api.Bind(func(context.Context,
		*iam.GenerateOrganizationsAccessReportInput) (*iam.GenerateOrganizationsAccessReportOutput, error) {
		return nil, nil
	}, api.Changes, api.On(api.Everything), api.Record("EntityPath"))
	a, records, _ := funnel(t, action)
	a.Invoke(t.Context(), signed(t, root), action,
		&iam.GenerateOrganizationsAccessReportInput{EntityPath: ptr("o-exampleorg1/r-f6g7"),
			OrganizationsPolicyId: ptr("p-x")}, api.Call{})
	if text := records.String(); !strings.Contains(text, `"requestParameters":{"entityPath":"o-exampleorg1/r-f6g7"}`) {
		t.Errorf("record %s", text)
	}
}
