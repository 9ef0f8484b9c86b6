package fleettest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/seal"
)

// front answers for Organizations and simulates the faults of the account that
// a call concerns. It passes all other calls to the service.
func (o *Organization) front(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	defer o.count()()
	r.Body = io.NopCloser(bytes.NewReader(body))
	key, signedFor := signer(r)
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		o.organizations(w, strings.TrimPrefix(target, "AWSOrganizationsV20161128."), body, key, signedFor)
		return
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		refuse(w, 400, "MalformedInput", err.Error())
		return
	}
	action := form.Get("Action")
	account, _ := seal.AccountOfKeyID(key)
	if action == "AssumeRole" {
		account = roleAccount(form.Get("RoleArn"))
		o.watch(form, key)
	}
	c := Call{account, action, form.Get("UserName"), key, time.Now()}
	if o.ended(w, c) || strings.HasPrefix(action, "List") && o.factsFault(w, r, c) || o.fault(w, c) {
		return
	}
	if action == "AssumeRole" && o.cfg.SessionCalls > 0 {
		o.assume(w, r)
		return
	}
	o.handler.ServeHTTP(w, r)
}

var sessionKey = regexp.MustCompile(`<AccessKeyId>(\w+)</AccessKeyId>`)

// assume passes a call of AssumeRole on, and notes its session.
func (o *Organization) assume(w http.ResponseWriter, r *http.Request) {
	answer := httptest.NewRecorder()
	o.handler.ServeHTTP(answer, r)
	if key := sessionKey.FindStringSubmatch(answer.Body.String()); key != nil {
		o.mu.Lock()
		o.left[key[1]] = o.cfg.SessionCalls
		o.mu.Unlock()
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes())
}

// ended refuses a call that is signed with a session that has ended.
func (o *Organization) ended(w http.ResponseWriter, c Call) (answered bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	left, limited := o.left[c.Key]
	if !limited {
		return false
	}
	if left > 0 {
		o.left[c.Key] = left - 1
		return false
	}
	refuse(w, http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	return true
}

// count counts a request until the returned function is called.
func (o *Organization) count() (end func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now++
	o.most = max(o.most, o.now)
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.now--
	}
}

// signer returns the access key and the service in the signature of a call.
func signer(r *http.Request) (key, service string) {
	_, credential, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	credential, _, _ = strings.Cut(credential, ",")
	scope := strings.Split(credential, "/")
	if len(scope) < 5 {
		return "", ""
	}
	return scope[0], scope[3]
}

func roleAccount(arn string) string {
	if parts := strings.Split(arn, ":"); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// factsFault answers a call for facts beyond the report with the fault of its
// account, if it has one.
func (o *Organization) factsFault(w http.ResponseWriter, r *http.Request, c Call) (answered bool) {
	o.mu.Lock()
	f := o.faults[c.Account]
	if f == nil {
		o.mu.Unlock()
		return false
	}
	stop := f.FactsStop == 1
	f.FactsStop = max(f.FactsStop-1, min(f.FactsStop, 1))
	denied, throttled, failing := f.FactsDenied == c.Action, spend(&f.FactsThrottled), spend(&f.FactsFailing)
	if stop || denied || throttled || failing {
		o.calls = append(o.calls, c)
	}
	o.mu.Unlock()
	switch {
	case stop:
		<-r.Context().Done()
	case denied:
		refuse(w, 403, "AccessDenied", "User: arn:aws:sts::"+c.Account+":assumed-role/"+Role+
			"/rollcall is not authorized to perform: iam:"+c.Action)
	case throttled:
		refuse(w, 400, "Throttling", "Rate exceeded")
	case failing:
		refuse(w, 500, "ServiceFailure", "")
	default:
		return false
	}
	return true
}

// fault answers a call with the fault of its account, if it has one.
func (o *Organization) fault(w http.ResponseWriter, c Call) (answered bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, c)
	account, action := c.Account, c.Action
	f := o.faults[account]
	if f == nil || action == "GetCallerIdentity" {
		return false
	}
	if f.State != "" && f.State != "ACTIVE" {
		o.breaches = append(o.breaches, action+" of account "+account+", which is "+f.State)
	}
	if f.Slow > 0 {
		o.mu.Unlock()
		time.Sleep(f.Slow)
		o.mu.Lock()
	}
	iam := action != "AssumeRole"
	switch {
	case spend(&f.Throttled):
		refuse(w, 400, "Throttling", "Rate exceeded")
	case f.NoRole && !iam:
		refuse(w, 403, "AccessDenied", "User: arn:"+o.cfg.Partition+":iam::"+o.cfg.Accounts[0].ID+":user/"+Caller+
			" is not authorized to perform: sts:AssumeRole on resource: arn:"+o.cfg.Partition+
			":iam::"+account+":role/"+Role)
	case !iam:
		return false
	case spend(&f.Dropped):
		panic(http.ErrAbortHandler)
	case spend(&f.Failing):
		refuse(w, 500, "ServiceFailure", "")
	case f.Forbid:
		refuse(w, 403, "AccessDenied", "User: arn:aws:sts::"+account+":assumed-role/"+Role+
			"/rollcall is not authorized to perform: iam:"+action+" with an explicit deny in a service control policy")
	case action == "GenerateCredentialReport":
		return f.generate(w)
	case action == "GetCredentialReport":
		return f.get(w, account)
	default:
		return false
	}
	return true
}

func (f *Fault) generate(w http.ResponseWriter) (answered bool) {
	switch {
	case spend(&f.NoCapacity):
		refuse(w, 409, "LimitExceeded", "No more capacity to launch new report generation tasks")
	case f.OldReport > 0:
		answer(w, "GenerateCredentialReport", "<State>COMPLETE</State>")
	default:
		return false
	}
	return true
}

func (f *Fault) get(w http.ResponseWriter, account string) (answered bool) {
	switch {
	case spend(&f.InProgress):
		refuse(w, 404, "ReportInProgress", "")
	case f.OldReport > 0:
		give(w, account, time.Now().Add(-f.OldReport))
	case f.OtherReport != "":
		give(w, f.OtherReport, time.Now())
	case f.NoReport:
		answer(w, "GetCredentialReport", report("not a report", time.Now()))
	default:
		return false
	}
	return true
}

func give(w http.ResponseWriter, account string, generated time.Time) {
	answer(w, "GetCredentialReport", report("user,arn\n<root_account>,arn:aws:iam::"+account+":root", generated))
}

func report(csv string, generated time.Time) string {
	return "<Content>" + base64.StdEncoding.EncodeToString([]byte(csv)) +
		"</Content><ReportFormat>text/csv</ReportFormat><GeneratedTime>" +
		generated.UTC().Format(time.RFC3339) + "</GeneratedTime>"
}

// watch records violations of the rules for assuming roles.
func (o *Organization) watch(form url.Values, key string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if key != o.Caller.ID {
		o.breaches = append(o.breaches, "AssumeRole signed with "+key)
	}
	// A profile's own role has its own session name.
	if policy := form.Get("Policy"); form.Get("RoleSessionName") == "rollcall" &&
		!strings.Contains(policy, `["iam:GenerateCredentialReport","iam:GetCredentialReport"]`) {
		o.breaches = append(o.breaches, "AssumeRole with the policy "+policy)
	}
}

// organizations answers for AWS Organizations: JSON 1.1, in pages of 20.
func (o *Organization) organizations(w http.ResponseWriter, action string, body []byte, key, signedFor string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = append(o.calls, Call{Action: action, Key: key, At: time.Now()})
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if key != o.Caller.ID || signedFor != "organizations" {
		o.breaches = append(o.breaches, action+" signed with "+key+" for "+signedFor)
		w.WriteHeader(400)
		_, _ = io.WriteString(w,
			`{"__type":"AccessDeniedException","Message":"You don't have permissions to access this resource."}`)
		return
	}
	switch action {
	case "DescribeOrganization":
		writeJSON(w, map[string]any{
			"Organization": map[string]string{"Id": ID, "MasterAccountId": o.cfg.Accounts[0].ID}})
	case "ListAccounts":
		var in struct{ NextToken string }
		_ = json.Unmarshal(body, &in)
		from, _ := strconv.Atoi(in.NextToken)
		to := min(from+20, len(o.cfg.Accounts))
		out := map[string]any{}
		var page []map[string]string
		for _, a := range o.cfg.Accounts[from:to] {
			state := a.Fault.State
			if state == "" {
				state = "ACTIVE"
			}
			page = append(page, map[string]string{"Id": a.ID, "Name": a.Name, "State": state})
		}
		if out["Accounts"] = page; to < len(o.cfg.Accounts) {
			out["NextToken"] = strconv.Itoa(to)
		}
		writeJSON(w, out)
	default:
		w.WriteHeader(400)
		_, _ = io.WriteString(w, `{"__type":"UnknownOperationException"}`)
	}
}

func writeJSON(w io.Writer, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		panic(err)
	}
}

func answer(w http.ResponseWriter, action, result string) {
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w,
		`<%[1]sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><%[1]sResult>%[2]s</%[1]sResult>`+
			`<ResponseMetadata><RequestId>bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da</RequestId></ResponseMetadata>`+
			`</%[1]sResponse>`,
		action, result)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	if message != "" {
		message = "<Message>" + message + "</Message>"
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w,
		`<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code>%s</Error>`+
			`<RequestId>bdeddc97-b31b-11e6-b00d-4d3e5ee3c2da</RequestId></ErrorResponse>`, code, message)
}
