package service_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/VictoriaMetrics/metrics"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/awsmodel"
	"rollcall/internal/service"
	"rollcall/internal/trail"
)

// record holds the members of a line of the trail that this test reads.
type record struct {
	EventName, EventSource, ErrorCode, RequestID, SourceIPAddress, RecipientAccountID string
	ReadOnly                                                                          bool
	UserIdentity                                                                      struct {
		Type, Arn, UserName, AccessKeyID, AccountID string
	}
	RequestParameters map[string]any
	ResponseElements  map[string]any
	// AdditionalEventData has the number of calls that a RefusalsOmitted event
	// counts.
	AdditionalEventData struct{ Calls int }
}

func (w *world) records(t testing.TB) (all []record) {
	t.Helper()
	for _, line := range w.trail.lines() {
		if line == "" {
			continue
		}
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%v in %q", err, line)
		}
		all = append(all, r)
	}
	return all
}

// Every call leaves one record, with the caller, the call and its result.
func TestOneRecordForEachCall(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	w.records(t)
	stranger := clients{id: "AKIAIOSFODNN7EXAMPLE", key: "x"}
	for action := range everyAction {
		for name, c := range map[string]clients{"Root": w.root, "IAMUser": ann, "Unknown": stranger} {
			a := w.callAs(t, c, action)
			all := w.records(t)
			if len(all) != 1 {
				t.Errorf("%s by %s: %d records", action, name, len(all))
				continue
			}
			r := all[0]
			wantAction, wantType, wantKey := action, name, c.id
			switch {
			case name == "Unknown":
				wantAction = "Unknown" // the action of an unknown caller is not read
			case unsigned[action] != "":
				wantType, wantKey = "WebIdentityUser", "" // regardless of the signer
				if action == "AssumeRoleWithSAML" {
					wantType = "SAMLUser"
				}
			}
			if r.EventName != wantAction || r.ErrorCode != awsmodel.Exception(a.code) ||
				r.RequestID != a.header.Get("X-Amzn-Requestid") || r.UserIdentity.Type != wantType ||
				r.UserIdentity.AccessKeyID != wantKey || r.SourceIPAddress != "127.0.0.1" {
				t.Errorf("%s by %s: %+v\nanswer %+v", action, name, r, a.failure)
			}
			if a.status >= 400 && r.ResponseElements != nil {
				t.Errorf("%s by %s: a refused call has an answer", action, name)
			}
		}
		if action == "DeleteUser" || action == "CreateAccessKey" || action == "UpdateUser" {
			w.root.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: ptr("bob")})
			w.records(t)
		}
	}
	for name, form := range map[string]string{
		"no form": "%", "no action": "", "unknown action": call("Nothing", ""),
		"unreadable": call("ListUsers", "MaxItems=x"), "invalid": call("CreateUser", ""),
	} {
		a := w.raw(t, form)
		if all := w.records(t); len(all) != 1 || all[0].ErrorCode != awsmodel.Exception(a.code) ||
			all[0].RecipientAccountID != account {
			t.Errorf("%s: %+v, answer %+v", name, all, a.failure)
		}
	}
}

func TestRecord(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	must(t, w.root.CreateUser,
		&iam.CreateUserInput{UserName: ptr("Ann"), Path: ptr("/a/"), Tags: tags("k", "v\u2028x")})
	id := must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("Ann")}).User.UserId
	all := w.records(t)
	if len(all) != 2 {
		t.Fatalf("%d records", len(all))
	}
	want := map[string]any{"userName": "Ann", "path": "/a/",
		"tags": []any{map[string]any{"key": "k", "value": "v\u2028x"}}}
	if diff := cmp.Diff(want, all[0].RequestParameters); diff != "" {
		t.Error(diff)
	}
	user := map[string]any{
		"userName": "Ann", "path": "/a/", "userId": *id, "arn": userPath + "/a/Ann",
		"createDate": "Nov 23, 2026 10:00:00 AM", "tags": want["tags"],
	}
	if diff := cmp.Diff(map[string]any{"user": user}, all[0].ResponseElements); diff != "" {
		t.Error(diff)
	}
	if r := all[0]; r.ReadOnly || r.EventSource != "iam.amazonaws.com" || r.UserIdentity.Arn != rootARN {
		t.Errorf("%+v", r)
	}
	if r := all[1]; !r.ReadOnly || r.ResponseElements != nil {
		t.Errorf("%+v", r)
	}
}

// Whatever unknown callers send, and however often, there are at most 2 KB of
// trail for a call and 200 records a second, and every call is counted. Nor do
// they create new labels of metrics.
func TestFloodOfStrangers(t *testing.T) {
	t.Parallel()
	out := &sink{}
	figures := metrics.NewSet()
	w := newWorld(t, service.Config{Trail: trail.New(out), Metrics: figures})
	out.lines()
	bad := strings.Repeat("\xff", 4000)
	const calls = 1000
	start := time.Now()
	for i := range calls {
		form := fmt.Sprintf("Action=Nothing%d&Version=%d", i, i)
		switch i % 3 {
		case 1:
			form = "Version=2011-06-15&Action=AssumeRoleWithWebIdentity&RoleSessionName=s&RoleArn=" +
				url.QueryEscape(bad[:900]) + "&WebIdentityToken=" + fmt.Sprint(i) + "&ProviderId=" +
				strings.Repeat("x", 2048)
		case 2:
			form = "Version=2011-06-15&Action=AssumeRoleWithSAML&RoleArn=" + strings.Repeat("%22", 900) +
				"&PrincipalArn=" + strings.Repeat("%5C", 900) + "&SAMLAssertion=" + fmt.Sprint(i)
		}
		r := w.post(t, "/", form)
		r.Header.Set("User-Agent", bad)
		r.Host = strings.Repeat("h", 200) + fmt.Sprint(i)
		if i%3 == 0 {
			r.Header.Set("Authorization",
				"AWS4-HMAC-SHA256 Credential="+bad+
					"/20261123/us-east-1/iam/aws4_request, SignedHeaders=host;x-amz-date, Signature="+
					strings.Repeat("0", 64))
			r.Header.Set("X-Amz-Date", "20261123T100000Z")
		}
		if a := send(t, r); a.status < 400 {
			t.Fatalf("%+v", a)
		}
	}
	took := time.Since(start)
	w.end()
	written, counted := 0, 0
	for _, line := range out.lines() {
		var e struct {
			EventName           string
			AdditionalEventData struct{ Calls int }
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatal(err)
		}
		if len(line) >= 2048 {
			t.Errorf("a line of %d bytes", len(line))
		}
		if counted += e.AdditionalEventData.Calls; e.EventName != "RefusalsOmitted" {
			written++
		}
	}
	if written+counted != calls || written > 20*(int(took.Seconds())+2) {
		t.Errorf("%d written and %d counted of %d in %v", written, counted, calls, took)
	}
	series := map[string]int{}
	for name := range figuresOf(t, figures) {
		name, labels, _ := strings.Cut(name, "{")
		if !strings.HasSuffix(name, "_bucket") || strings.Contains(labels, `le="+Inf"`) {
			series[name]++
		}
	}
	for name, n := range series {
		if n > 10 {
			t.Errorf("%s has %d sets of labels", name, n)
		}
	}
}

// One caller who sends far more calls than it may writes few records. The others
// are counted.
func TestFloodOfOneCaller(t *testing.T) {
	t.Parallel()
	out := &sink{}
	w := newWorld(t, service.Config{Rate: 1, Burst: 1, Trail: trail.New(out)})
	out.lines()
	const calls = 200
	start := time.Now()
	for range calls {
		w.raw(t, call("GetUser", ""))
	}
	took := time.Since(start)
	w.end()
	written, counted := 0, 0
	for _, line := range out.lines() {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if counted += r.AdditionalEventData.Calls; r.EventName != "RefusalsOmitted" {
			written++
		}
	}
	if written+counted != calls || written > 20*(int(took.Seconds())+2)+1 {
		t.Errorf("%d written and %d counted of %d in %v", written, counted, calls, took)
	}
}

// While the trail is not writable, nothing changes, but reads are answered.
// When it is writable again, everything continues without a restart.
func TestTrailDown(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	w.records(t)
	w.trail.fail.Store(true)
	must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("Ann")}) // notices it
	for range 3 {
		refused(t, w.root.CreateUser, &iam.CreateUserInput{UserName: ptr("Bob")}, 503, "ServiceUnavailable",
			"The audit trail cannot be written; changes are refused until it can.")
		refused(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("Bob")}, 404, "NoSuchEntity",
			"The user with name Bob cannot be found.")
		time.Sleep(60 * time.Millisecond) // the sink is tried ten times a second
	}
	w.trail.fail.Store(false)
	time.Sleep(120 * time.Millisecond)
	w.user(t, "Bob")
	all := w.records(t)
	if len(all) < 2 || all[0].EventName != "TrailResumed" || all[len(all)-1].EventName != "CreateUser" {
		t.Errorf("%+v", all)
	}
}

// A change in progress when the trail fails happens but is not acknowledged.
// Its record is written later.
func TestTrailFailsDuringChange(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.records(t)
	w.trail.fail.Store(true)
	refused(t, w.root.CreateUser, &iam.CreateUserInput{UserName: ptr("Ann")}, 500, "ServiceFailure",
		"The request was carried out but could not be recorded.")
	refused(t, w.root.CreateUser, &iam.CreateUserInput{UserName: ptr("Bob")}, 503, "ServiceUnavailable",
		"The audit trail cannot be written; changes are refused until it can.")
	w.trail.fail.Store(false)
	time.Sleep(120 * time.Millisecond)
	must(t, w.root.GetUser, &iam.GetUserInput{UserName: ptr("Ann")})
	var events []string
	for _, r := range w.records(t) {
		events = append(events, r.EventName)
	}
	if got := strings.Join(events, " "); got != "TrailResumed CreateUser CreateUser GetUser" {
		t.Errorf("events %s", got)
	}
}

// Names that a client chooses break neither the trail nor the log.
func TestHostileRecords(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	hostile := "a\"},{\r\n\x00\u2028<script>\x1b[2J"
	r := w.post(t, "/", call("GetUser", "UserName="+url.QueryEscape(hostile)))
	r.Header.Set("User-Agent", "x\"y\\z\t\xff")
	w.sign(r, call("GetUser", "UserName="+url.QueryEscape(hostile)), w.root, "us-east-1", "iam")
	if a := send(t, r); a.status != 400 {
		t.Errorf("%+v", a.failure)
	}
	w.raw(t, "Action="+url.QueryEscape(hostile)+"&Version="+url.QueryEscape(hostile))
	if all := w.records(t); len(all) != 2 {
		t.Errorf("%d records", len(all))
	}
	for line := range strings.Lines(w.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("log line %q", line)
		}
	}
}
