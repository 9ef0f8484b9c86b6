package service_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/identity"
	"rollcall/internal/principal"
	"rollcall/internal/service"
	"rollcall/internal/sigv4"
	"rollcall/internal/sigv4/sigv4test"
	"rollcall/internal/storetest"
)

// session returns a caller that calls actions by their methods, as code without
// HTTP would.
func (w *world) session(t testing.TB, c clients) api.Session {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "POST", "https://iam.amazonaws.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	now := w.cfg.Store.Now
	sigv4test.Sign(r, nil, sigv4test.Credentials{AccessKeyID: c.id, SecretAccessKey: c.key}, "us-east-1", "iam", now())
	v := sigv4.Verifier[principal.Signer]{Lookup: w.IAM.SigningKey, Now: now, Services: []string{"iam", "sts"}}
	verified, err := v.Verify(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	return w.API.As(principal.Signed(verified), api.Call{RequestID: "by-method", SourceIP: "192.0.2.7",
		UserAgent: "a door"})
}

// refusal returns the code of an error of Do, "" for success.
func refusal(err error) string {
	var known *awsmodel.Error
	if errors.As(err, &known) {
		return known.Code
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// Calls by method obey the same rules as requests.
func TestDo(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx, by := t.Context(), w.session(t, w.root)
		w.trail.lines()
		out, err := api.Do(ctx, by, w.IAM.CreateUser, &iam.CreateUserInput{UserName: ptr("Ann"), Path: ptr("/x/")})
		if err != nil || *out.User.Arn != "arn:aws:iam::"+account+":user/x/Ann" {
			t.Fatalf("%+v, %v", out, err)
		}
		same(t, out.User, must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("Ann")}).User)
		var record struct {
			EventName, RequestID, SourceIPAddress, UserAgent string
			UserIdentity                                     struct{ ARN string }
			RequestParameters                                struct{ UserName string }
			ResponseElements                                 struct{ User struct{ UserName string } }
		}
		if err := json.Unmarshal([]byte(w.trail.lines()[0]), &record); err != nil {
			t.Fatal(err)
		}
		if record.EventName != "CreateUser" || record.RequestID != "by-method" ||
			record.SourceIPAddress != "192.0.2.7" ||
			record.UserAgent != "a door" ||
			record.UserIdentity.ARN != rootARN || record.RequestParameters.UserName != "Ann" ||
			record.ResponseElements.User.UserName != "Ann" {
			t.Errorf("record %+v", record)
		}

		ann := w.session(t, w.asUser(t, "Ann"))
		w.trail.lines()
		const denied = "User: arn:aws:iam::" + account +
			":user/x/Ann is not authorized to perform: iam:CreateUser on resource: " +
			"arn:aws:iam::" + account + ":user/Bob because no identity-based policy allows the iam:CreateUser action"
		if _, err := api.Do(ctx, ann, w.IAM.CreateUser, &iam.CreateUserInput{UserName: ptr("Bob")}); err == nil ||
			err.Error() != "AccessDenied: "+denied {
			t.Errorf("denied: %v", err)
		}
		if lines := w.trail.lines(); len(lines) != 1 || !strings.Contains(lines[0], `"errorCode":"AccessDenied"`) {
			t.Errorf("record of a denial %q", lines)
		}
		for name, c := range map[string]struct {
			in   *iam.CreateUserInput
			want string
		}{
			"exists":    {&iam.CreateUserInput{UserName: ptr("ANN")}, "EntityAlreadyExists"},
			"no name":   {nil, "ValidationError"},
			"not UTF-8": {&iam.CreateUserInput{UserName: ptr("a\xff")}, "MalformedInput"},
			"bad tag": {&iam.CreateUserInput{UserName: ptr("a"), Tags: []types.Tag{{Key: ptr("\xff"), Value: ptr("")}}},
				"MalformedInput"},
			"a good name": {&iam.CreateUserInput{UserName: ptr("Bob")}, ""},
		} {
			if _, err := api.Do(ctx, by, w.IAM.CreateUser, c.in); refusal(err) != c.want {
				t.Errorf("%s: %v", name, err)
			}
		}
		if n := len(w.trail.lines()); n != 5 {
			t.Errorf("%d records of 5 calls", n)
		}
	})
}

// Do reads the report with the SDK's own input, which has fewer members than
// the method's.
func TestDoGetCredentialReport(t *testing.T) {
	w := newWorld(t, service.Config{Report: identity.ReportConfig{MaxAge: time.Hour}})
	ctx, by := t.Context(), w.session(t, w.root)
	for {
		out, err := api.Do(ctx, by, w.IAM.GenerateCredentialReport, &iam.GenerateCredentialReportInput{})
		if err != nil {
			t.Fatal(err)
		}
		if out.State == types.ReportStateTypeComplete {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	report, err := api.Do(ctx, by, w.IAM.GetCredentialReport, &iam.GetCredentialReportInput{})
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if err := report.Content.WriteTo(&got); err != nil {
		t.Fatal(err)
	}
	if want := must(t, w.root.GetCredentialReport, &iam.GetCredentialReportInput{}); !bytes.Equal(got.Bytes(),
		want.Content) || !report.GeneratedTime.Equal(*want.GeneratedTime) {
		t.Errorf("report\n%s\nwant\n%s", &got, want.Content)
	}
	long := ptr(w.clock.Now().Add(-time.Hour))
	if _, err := api.Do(ctx, by, w.IAM.GetCredentialReport,
		&identity.GetCredentialReportInput{Rollcall: &struct{ At *time.Time }{long}}); refusal(
		err) != "ReportNotPresent" {
		t.Errorf("by the method's own input: %v", err)
	}
	if _, err := api.Do(ctx, by, w.IAM.GetCredentialReport, &iam.GetUserInput{}); refusal(err) != "ServiceFailure" {
		t.Errorf("by another input: %v", err)
	}
}

// Calls by method and requests share the same rate limit.
func TestDoIsThrottled(t *testing.T) {
	w := newWorld(t, service.Config{Rate: 0.5, Burst: 3})
	w.clock.advance(time.Minute)
	by, in := w.session(t, w.root), &iam.GetUserInput{}
	must(t, w.root.GetUser, in)
	for _, want := range []string{"", "", "Throttling"} {
		if _, err := api.Do(t.Context(), by, w.IAM.GetUser, in); refusal(err) != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	refused(t, w.root.GetUser, in, 400, "Throttling", "Rate exceeded")
	if lines := w.trail.lines(); !strings.Contains(lines[3], `"eventName":"GetUser"`) || !strings.Contains(lines[3],
		`"errorCode":"Throttling"`) {
		t.Errorf("record %s", lines[3])
	}
}

// If the trail fails during a change by method, the change is not acknowledged.
// Its record is in the store until the trail accepts it.
func TestDoLeavesItsRecord(t *testing.T) {
	cfg := storetest.SQLite(t)
	cfg.Now = time.Now
	w := newWorld(t, service.Config{Store: cfg})
	by := w.session(t, w.root)
	w.trail.fail.Store(true) // as if the process had ended here
	for _, want := range []string{"ServiceFailure", "ServiceUnavailable"} {
		if _, err := api.Do(t.Context(), by, w.IAM.CreateUser,
			&iam.CreateUserInput{UserName: ptr(want)}); refusal(err) != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
	w.trail.fail.Store(false)
	w.end()
	next := start(t, service.Config{Store: cfg, Master: w.cfg.Master})
	for end := time.Now().Add(2 * time.Minute); !strings.Contains(next.trail.String(), "\n") &&
		time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
	}
	lines := next.trail.lines()
	if len(lines) != 1 || !strings.Contains(lines[0], `"userName":"ServiceFailure"`) || !strings.Contains(lines[0],
		`"recovered":true`) || !strings.Contains(lines[0], `"requestID":"by-method"`) {
		t.Errorf("trail %q", lines)
	}
}
