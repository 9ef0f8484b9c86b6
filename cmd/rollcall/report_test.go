package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"rollcall/internal/fleet/fleettest"
	"rollcall/internal/identity"
	"rollcall/internal/service"
)

// TestReportScripts runs sessions of 'rollcall report'. $ROLLCALL is the real
// service with one account, whose root key is in the environment. $AWS plays
// recorded answers of AWS. A proxy is between the binary and the network: a
// session that connects to anything else fails.
func TestReportScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/report",
		Setup: func(env *testscript.Env) error {
			key, err := serveReports(t, env)
			env.Setenv("AWS_ACCESS_KEY_ID", key.ID)
			env.Setenv("AWS_SECRET_ACCESS_KEY", key.Secret.Reveal())
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"code": exitCode, "valid": valid, "mode": mode},
	})
}

// serveReports starts the real service with one account, $ROLLCALL, the recorded
// answers of AWS, $AWS, and a proxy that refuses the world. It returns root's key.
func serveReports(t *testing.T, env *testscript.Env) (identity.RootKey, error) {
	emulator, err := service.OpenEmulator(t.Context(),
		service.EmulatorConfig{Account: identity.AccountSpec{ID: "123456789012"}})
	if err != nil {
		return identity.RootKey{}, err
	}
	real, aws, world := httptest.NewServer(emulator), httptest.NewServer(&recordings{}), refuseAll(env)
	env.Defer(func() {
		real.Close()
		aws.Close()
		emulator.Close()
	})
	for name, value := range map[string]string{
		"ROLLCALL": real.URL, "AWS": aws.URL, "HTTP_PROXY": world, "HTTPS_PROXY": world,
		"AWS_CONFIG_FILE": env.WorkDir + "/config", "AWS_SHARED_CREDENTIALS_FILE": env.WorkDir + "/credentials",
		"AWS_EC2_METADATA_DISABLED": "true",
	} {
		env.Setenv(name, value)
	}
	return emulator.RootKey, nil
}

// TestFleetScripts runs sessions of 'rollcall report' for many accounts. $ORG
// is an organization on the real service with faults. The same proxy is between
// the binary and the network. In a session, fault ACCOUNT [KIND] changes the
// faults, remove ACCOUNT removes an account from the organization, and calls
// prints the calls since the last time.
func TestFleetScripts(t *testing.T) {
	t.Parallel()
	const organization = "organization"
	testscript.Run(t, testscript.Params{
		Dir: "testdata/report/fleet",
		Setup: func(env *testscript.Env) error {
			org := fleettest.New(t, fleettest.Config{ExternalID: "x-17", Accounts: []fleettest.Account{
				{ID: "100000000000", Name: "management", Fault: fleettest.Fault{FactsDenied: "ListUsers"}},
				{ID: "100000000001", Name: "payments"},
				{ID: "100000000002", Name: "shop"},
				{ID: "100000000003", Name: "old shop", Fault: fleettest.Fault{State: "SUSPENDED"}},
			}})
			for name, value := range map[string]string{
				"ORG": org.URL, "AWS_ENDPOINT_URL": org.URL, "HTTP_PROXY": refuseAll(env),
				"AWS_ACCESS_KEY_ID": org.Caller.ID, "AWS_SECRET_ACCESS_KEY": org.Caller.Secret,
				"AWS_CONFIG_FILE": env.WorkDir + "/config", "AWS_SHARED_CREDENTIALS_FILE": env.WorkDir + "/credentials",
				"AWS_EC2_METADATA_DISABLED": "true", "XDG_CACHE_HOME": env.WorkDir + "/cache",
			} {
				env.Setenv(name, value)
			}
			env.Setenv("HTTPS_PROXY", env.Getenv("HTTP_PROXY"))
			env.Values[organization] = org
			env.Defer(func() {
				if breaches := org.Breaches(); len(breaches) > 0 {
					env.T().Fatal(breaches)
				}
			})
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": exitCode, "valid": valid, "mode": mode,
			"fault": func(ts *testscript.TestScript, neg bool, args []string) {
				kinds := map[string]fleettest.Fault{
					"no-role": {NoRole: true}, "forbid": {Forbid: true}, "never": {InProgress: -1},
					"throttled": {Throttled: -1}, "silent-facts": {FactsStop: 2},
					"old": {OldReport: 5 * time.Hour}, "other": {OtherReport: "999999999999"}, "none": {},
				}
				f, known := kinds[args[1]]
				if !known || neg || len(args) != 2 {
					ts.Fatalf("usage: fault ACCOUNT KIND")
				}
				ts.Value(organization).(*fleettest.Organization).SetFault(args[0], f)
			},
			"remove": func(ts *testscript.TestScript, neg bool, args []string) {
				ts.Value(organization).(*fleettest.Organization).Remove(args[0])
			},
			"calls": func(ts *testscript.TestScript, neg bool, args []string) {
				for _, c := range ts.Value(organization).(*fleettest.Organization).Calls() {
					fmt.Fprintln(ts.Stdout(), c.Action, c.Account)
				}
			},
		},
	})
}

// refuseAll starts a proxy that refuses everything, and fails the test if it is
// used.
func refuseAll(env *testscript.Env) (address string) {
	address, end := fleettest.RefuseAll()
	env.Defer(func() {
		if seen := end(); len(seen) > 0 {
			env.T().Fatal("tried to reach the world: ", seen)
		}
	})
	return address
}

// recordings plays recorded answers of AWS. The first element of the path names
// the situation. All times are fixed, including the Date of answers.
type recordings struct {
	mu    sync.Mutex
	calls map[string]int
}

const (
	recordedReport = "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed," +
		"password_next_rotation,mfa_active,access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date," +
		"access_key_1_last_used_region,access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated," +
		"access_key_2_last_used_date,access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active," +
		"cert_1_last_rotated,cert_2_active,cert_2_last_rotated\n" +
		"<root_account>,arn:aws:iam::123456789012:root,2014-10-15T16:31:25Z,true,2026-09-01T17:41:10Z," +
		"2020-01-01T00:00:00Z,not_supported,true,false,N/A,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A\n" +
		"\"a,b\",\"arn:aws:iam::123456789012:user/a,b\",2026-09-10T10:00:00Z,true,no_information," +
		"2026-09-10T10:00:00Z,N/A,false,true,2026-09-10T10:00:00Z,N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A," +
		"false,N/A\n" +
		"Bill,arn:aws:iam::123456789012:user/Bill,2015-04-15T18:27:44Z,false,N/A,N/A,N/A,false,false,N/A,N/A,N/A,N/A," +
		"false,N/A,N/A,N/A,N/A,false,2015-04-20T20:00:12Z,false,N/A"
	recordedAt  = "2026-09-11T13:15:19Z"
	recordedNow = "Fri, 11 Sep 2026 14:15:19 GMT" // an hour later
)

func (r *recordings) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, _ := io.ReadAll(request.Body)
	form, _ := url.ParseQuery(string(body))
	action := form.Get("Action")
	situation, _, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	r.mu.Lock()
	if r.calls == nil {
		r.calls = map[string]int{}
	}
	r.calls[situation+action]++
	n := r.calls[situation+action]
	r.mu.Unlock()
	w.Header().Set("Date", recordedNow)
	w.Header().Set("Content-Type", "text/xml")
	get := action == "GetCredentialReport"
	switch {
	case situation == "reports-only" && !get && action != "GenerateCredentialReport":
		recordedError(w, 403, "AccessDenied",
			"User: arn:aws:iam::123456789012:user/Bill is not authorized to perform: iam:"+action)
	case situation == "late" && get && n < 5:
		recordedError(w, 410, "ReportNotPresent", "")
	case situation == "numeric" && get:
		io.WriteString(w,
			`<GetCredentialReportResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">`+
				`<GetCredentialReportResult><Content>eA==</Content><ReportFormat>text/csv</ReportFormat>`+
				`<GeneratedTime>1789132519</GeneratedTime></GetCredentialReportResult></GetCredentialReportResponse>`)
	case action == "AssumeRole":
		fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>`+
			`<Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey>`+
			`<SessionToken>t</SessionToken><Expiration>%s</Expiration></Credentials></AssumeRoleResult>`+
			`</AssumeRoleResponse>`,
			time.Now().Add(time.Hour).UTC().Format(time.RFC3339))
	case situation == "absent" && get, situation == "slow" && get && n == 1:
		recordedError(w, 410, "ReportNotPresent", "")
	case situation == "absent", situation == "slow" && !get:
		recordedTask(w, "STARTED", "No report exists. Starting a new report generation task")
	case situation == "making" && get, situation == "slow" && n == 2:
		recordedError(w, 404, "ReportInProgress", "")
	case situation == "making":
		recordedTask(w, "INPROGRESS", "")
	case situation == "expired" && get:
		recordedError(w, 410, "ReportExpired", "")
	case situation == "full" && !get:
		recordedError(w, 409, "LimitExceeded", "No more capacity to launch new report generation tasks")
	case situation == "throttled":
		recordedError(w, 400, "Throttling", "Rate exceeded")
	case situation == "denied":
		recordedError(w, 403, "AccessDenied",
			"User: arn:aws:iam::123456789012:user/Bill is not authorized to perform: iam:"+action+
				" on resource: * because no identity-based policy allows the iam:"+action+" action")
	case situation == "html":
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "<html>hello</html>")
	case situation == "nonsense" && get:
		recordedAnswer(w, "this is not a report")
	case get:
		recordedAnswer(w, recordedReport)
	default:
		recordedTask(w, "COMPLETE", "")
	}
}

func recordedError(w http.ResponseWriter, status int, code, message string) {
	if message != "" {
		message = "\n    <Message>" + message + "</Message>"
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\n  <Error>\n"+
		"    <Type>Sender</Type>\n    <Code>%s</Code>%s\n  </Error>\n"+
		"  <RequestId>bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da</RequestId>\n</ErrorResponse>\n", code, message)
}

func recordedTask(w io.Writer, state, description string) {
	if description != "" {
		description = "<Description>" + description + "</Description>"
	}
	fmt.Fprintf(w, `<GenerateCredentialReportResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">`+
		`<GenerateCredentialReportResult>%s<State>%s</State></GenerateCredentialReportResult>`+
		`</GenerateCredentialReportResponse>`, description, state)
}

func recordedAnswer(w io.Writer, csv string) {
	fmt.Fprintf(w, `<GetCredentialReportResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">`+
		`<GetCredentialReportResult><Content>%s</Content><ReportFormat>text/csv</ReportFormat>`+
		`<GeneratedTime>%s</GeneratedTime></GetCredentialReportResult></GetCredentialReportResponse>`,
		base64.StdEncoding.EncodeToString([]byte(csv)), recordedAt)
}
