package service_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/seal"
	"rollcall/internal/service"
	"rollcall/internal/signin"
	"rollcall/internal/storetest"
	"rollcall/internal/trail"
)

// published are the events of sign-ins in the CloudTrail and the IAM user
// guides, without the common members. ID is replaced by a unique id, and SERIAL
// by the device's.
var published = map[string]string{
	"user": `{"userIdentity":{"type":"IAMUser","principalId":"ID","arn":"arn:aws:iam::123456789012:user/anaya",
		"accountId":"123456789012","userName":"anaya"},"eventName":"ConsoleLogin",
		"responseElements":{"ConsoleLogin":"Success"},
		"additionalEventData":{"MobileVersion":"No","LoginTo":"https://rollcall.example.com/console/","MFAUsed":"No"}}`,
	"user with MFA": `{"userIdentity":{"type":"IAMUser","principalId":"ID","arn":"arn:aws:iam::123456789012:user/anaya",
		"accountId":"123456789012","userName":"anaya"},"eventName":"ConsoleLogin",
		"responseElements":{"ConsoleLogin":"Success"},
		"additionalEventData":{"MobileVersion":"No","LoginTo":"https://rollcall.example.com/console/","MFAUsed":"Yes",
		"MFAIdentifier":"SERIAL"}}`,
	"check": `{"userIdentity":{"type":"IAMUser","principalId":"ID","accountId":"123456789012","accessKeyId":"",
		"userName":"anaya"},
		"eventName":"CheckMfa","responseElements":{"CheckMfa":"Success"},"additionalEventData":{"MfaType":"Virtual MFA"}}`,
	"wrong": `{"userIdentity":{"type":"IAMUser","principalId":"ID","accountId":"123456789012","accessKeyId":"",
		"userName":"anaya"},
		"eventName":"ConsoleLogin","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"},
		"additionalEventData":{"MobileVersion":"No","LoginTo":"https://rollcall.example.com/console/","MFAUsed":"No"}}`,
	"wrong code": `{"userIdentity":{"type":"IAMUser","principalId":"ID","accountId":"123456789012",
		"accessKeyId":"","userName":"anaya"},
		"eventName":"ConsoleLogin","errorMessage":"Failed authentication","responseElements":{"ConsoleLogin":"Failure"},
		"additionalEventData":{"MobileVersion":"No","LoginTo":"https://rollcall.example.com/console/","MFAUsed":"Yes",
		"MFAIdentifier":"SERIAL"}}`,
	"no user": `{"userIdentity":{"type":"IAMUser","accountId":"123456789012","accessKeyId":"",
		"userName":"HIDDEN_DUE_TO_SECURITY_REASONS"},"eventName":"ConsoleLogin",
		"errorMessage":"No username found in supplied account","responseElements":{"ConsoleLogin":"Failure"},
		"additionalEventData":{"MobileVersion":"No","LoginTo":"https://rollcall.example.com/console/","MFAUsed":"No"}}`,
	"root": `{"userIdentity":{"type":"Root","principalId":"123456789012","arn":"arn:aws:iam::123456789012:root",
		"accountId":"123456789012","accessKeyId":""},"eventName":"ConsoleLogin",
		"responseElements":{"ConsoleLogin":"Success"},
		"additionalEventData":{"MobileVersion":"No","LoginTo":"https://rollcall.example.com/console/","MFAUsed":"No"}}`,
	"wrong root": `{"userIdentity":{"type":"Root","principalId":"123456789012","arn":"arn:aws:iam::123456789012:root",
		"accountId":"123456789012","accessKeyId":""},"eventName":"ConsoleLogin","errorMessage":"Failed authentication",
		"responseElements":{"ConsoleLogin":"Failure"},
		"additionalEventData":{"MobileVersion":"No","LoginTo":"https://rollcall.example.com/console/","MFAUsed":"No"}}`,
	"updated": `{"userIdentity":{"type":"IAMUser","principalId":"ID","arn":"arn:aws:iam::123456789012:user/anaya",
		"accountId":"123456789012","userName":"anaya"},"eventName":"PasswordUpdated",
		"responseElements":{"PasswordUpdated":"Success"}}`,
	"switch": `{"userIdentity":{"type":"AssumedRole","principalId":"ID:anaya",
		"arn":"arn:aws:sts::123456789012:assumed-role/ops/anaya","accountId":"123456789012"},"eventName":"SwitchRole",
		"responseElements":{"SwitchRole":"Success"},
		"additionalEventData":{"SwitchFrom":"arn:aws:iam::123456789012:user/anaya",
		"RedirectTo":"https://rollcall.example.com/console/"}}`,
	"exit": `{"userIdentity":{"type":"IAMUser","principalId":"ID","arn":"arn:aws:iam::123456789012:user/anaya",
		"accountId":"123456789012","userName":"anaya"},"eventName":"ExitRole","responseElements":{"ExitRole":"Success"},
		"additionalEventData":{"SwitchFrom":"arn:aws:sts::123456789012:assumed-role/ops/anaya",
		"RedirectTo":"https://rollcall.example.com/console/"}}`,
}

// everySignIn holds the members that all of them have.
const everySignIn = `{"eventVersion":"1.11","eventTime":"TIME","eventSource":"signin.amazonaws.com",
		"awsRegion":"us-east-1",
	"sourceIPAddress":"192.0.2.1","userAgent":"Mozilla/5.0","requestParameters":null,"eventID":"ID","readOnly":false,
	"eventType":"AwsConsoleSignIn","managementEvent":true,"recipientAccountId":"123456789012",
		"eventCategory":"Management",
	"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256",
		"clientProvidedHostHeader":"rollcall.example.com"}}`

// recorded compares the events since the last call with those that AWS
// publishes.
func (w *world) recorded(t *testing.T, serial string, want ...string) {
	t.Helper()
	var got []map[string]any
	for _, line := range w.trail.lines() {
		var r map[string]any
		if json.Unmarshal([]byte(line), &r) == nil && r["eventType"] == "AwsConsoleSignIn" {
			got = append(got, r)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d events, want %d: %v", len(got), len(want), got)
	}
	for i, r := range got {
		name, _, _ := strings.Cut(want[i], "/")
		var example map[string]any
		for _, text := range []string{everySignIn, strings.ReplaceAll(published[name], "SERIAL", serial)} {
			if err := json.Unmarshal([]byte(text), &example); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if r["eventTime"] != w.clock.Now().Format(time.RFC3339) || r["eventID"] == "" {
			t.Errorf("%s: %v, %v", name, r["eventTime"], r["eventID"])
		}
		r["eventTime"], r["eventID"] = "TIME", "ID"
		if id, ok := r["userIdentity"].(map[string]any)["principalId"].(string); ok && id != account {
			_, session, found := strings.Cut(id, ":")
			r["userIdentity"].(map[string]any)["principalId"] = "ID" + map[bool]string{true: ":" + session}[found]
		}
		if diff := cmp.Diff(example, r); diff != "" {
			t.Errorf("%s, -published +recorded\n%s", name, diff)
		}
	}
}

func TestSignInRecords(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.crowd(t)
	w.person(t, "anaya", allowAll)
	w.role(t, "ops", trusting("anaya"))
	begin := func(a signin.Attempt) signin.Step {
		t.Helper()
		step, _ := w.SignIn.Begin(t.Context(), here, a)
		return step
	}
	rootWith := func(pw string) signin.Attempt {
		return signin.Attempt{Account: account, Root: true, Password: seal.NewSecret(pw)}
	}
	w.trail.lines()
	token := begin(as("anaya", rightPassword)).Token
	w.recorded(t, "", "user")
	begin(as("anaya", "wrong"))
	begin(as("nobody", rightPassword))
	begin(rootWith("wrong"))
	begin(rootWith(nextPassword))
	w.recorded(t, "", "wrong", "no user", "wrong root", "root")
	if err := w.SignIn.SwitchRole(t.Context(), here, token, signin.Switch{Account: account, Role: "ops",
		To: here.To}); err != nil {
		t.Fatal(err)
	}
	if err := w.SignIn.ExitRole(t.Context(), here, token, here.To); err != nil {
		t.Fatal(err)
	}
	w.recorded(t, "", "switch", "exit")
	p := w.enabledDevice(t, "anaya")
	w.clock.advance(10 * time.Minute)
	step := begin(as("anaya", rightPassword))
	w.SignIn.AnswerCode(t.Context(), here, step.Token, p.serial, "000000")
	w.SignIn.AnswerCode(t.Context(), here, step.Token, p.serial, *p.code(t, w.clock.Now()))
	w.recorded(t, p.serial, "check", "wrong code", "user with MFA")
	must(t, w.root.DeactivateMFADevice, p.deactivate("anaya"))
	must(t, w.root.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: ptr("anaya"),
		PasswordResetRequired: ptr(true)})
	if _, err := w.SignIn.ChoosePassword(t.Context(), here, begin(as("anaya", rightPassword)).Token,
		seal.NewSecret(nextPassword)); err != nil {
		t.Fatal(err)
	}
	w.recorded(t, "", "updated", "user")
	// An attempt for an account that does not exist has no account in its
	// record.
	begin(signin.Attempt{Account: "Papagei-1", User: "Papagei-2", Password: seal.NewSecret("Papagei-3")})
	if line := w.trail.lines()[0]; strings.Contains(line, "Papagei") || !strings.Contains(line,
		`"recipientAccountId":""`) {
		t.Error(line)
	}
}

// The calls of a session are recorded for the user, with credentials from the
// console.
func TestSessionCallsAreRecorded(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	p := w.holder(t, "bob")
	token := w.enterWith(t, "bob", p)
	w.trail.lines()
	if _, err := w.call(t, token, "iam", "CreateGroup", &iam.CreateGroupInput{GroupName: ptr("g")}); err != nil {
		t.Fatal(err)
	}
	var r struct {
		SessionCredentialFromConsole string
		UserIdentity                 struct {
			Type, UserName, AccessKeyID string
			SessionContext              struct {
				Attributes struct{ MFAAuthenticated, CreationDate string }
			}
		}
	}
	line := w.trail.lines()[0]
	if err := json.Unmarshal([]byte(line), &r); err != nil {
		t.Fatal(err)
	}
	id := r.UserIdentity
	if r.SessionCredentialFromConsole != "true" || id.Type != "IAMUser" || id.UserName != "bob" ||
		!strings.HasPrefix(id.AccessKeyID, "ASIA") ||
		id.SessionContext.Attributes.MFAAuthenticated != "true" || id.SessionContext.Attributes.CreationDate == "" {
		t.Error(line)
	}
}

// Without a record nobody can sign in.
func TestNoSignInWithoutTrail(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.crowd(t)
	w.trail.fail.Store(true)
	step, err := w.SignIn.Begin(t.Context(), here, as("bob", rightPassword))
	if failureCode(err) != "ServiceUnavailable" || step.Kind != "" {
		t.Errorf("%+v, %v", step, err)
	}
	w.trail.fail.Store(false)
	time.Sleep(200 * time.Millisecond)
	w.enter(t, "bob")
}

// A flood of refused sign-ins leaves as few records as any other flood.
func TestFloodAtTheDoor(t *testing.T) {
	t.Parallel()
	sink := &sink{}
	w := newWorld(t, service.Config{Trail: trail.New(sink)})
	begun := time.Now().Unix()
	for range 100 {
		w.SignIn.Begin(t.Context(), here, as("nobody", "wrong"))
	}
	// An address has at most 20 records in each second.
	most := 20 * int(time.Now().Unix()-begun+1)
	n := 0
	for _, line := range sink.lines() {
		if strings.Contains(line, "ConsoleLogin") {
			n++
		}
	}
	if n < 1 || n > most {
		t.Errorf("%d records of 100 sign-ins, want at most %d", n, most)
	}
}

// No output contains a password, a code or a token.
func TestNoSignInSecretIsWritten(t *testing.T) {
	t.Parallel()
	cfg := storetest.SQLite(t)
	w := newWorld(t, service.Config{Store: cfg, PublicURL: consoleOrigin})
	p := w.holder(t, "bob")
	secrets := map[string]string{"password": rightPassword, "next password": nextPassword}
	for _, typed := range []string{"Kanarienvogel-1", "Papagei-Papagei-2", "Wellensittich-3"} {
		secrets[typed] = typed
		w.SignIn.Begin(t.Context(), here, as(typed, typed))
		w.SignIn.Begin(t.Context(), here, as("bob", typed))
		w.SignIn.Begin(t.Context(), here, signin.Attempt{Account: typed, User: typed, Password: seal.NewSecret(typed)})
		w.SignIn.AnswerCode(t.Context(), here, seal.NewSecret(typed), typed, typed)
		w.SignIn.AnswerCode(t.Context(), here, w.asked(t, "bob").Token, typed, typed)
	}
	must(t, w.root.UpdateLoginProfile, &iam.UpdateLoginProfileInput{UserName: ptr("bob"),
		PasswordResetRequired: ptr(true)})
	step := w.asked(t, "bob")
	secrets["step"] = step.Token.Reveal()
	step, err := w.SignIn.AnswerCode(t.Context(), here, step.Token, p.serial, *p.code(t, w.clock.Now()))
	if err != nil {
		t.Fatal(err)
	}
	secrets["second step"] = step.Token.Reveal()
	if step, err = w.SignIn.ChoosePassword(t.Context(), here, step.Token, seal.NewSecret(nextPassword)); err != nil {
		t.Fatal(err)
	}
	secrets["session"] = step.Token.Reveal()
	if _, _, err := w.enrol(t, step.Token, "", "x"); err != nil {
		t.Fatal(err)
	}
	if !w.isOpen(t, step.Token) {
		t.Error("the session is not open")
	}
	w.leaks(t, secrets)
}

// leaks ends a service and searches its whole output for secrets.
func (w *world) leaks(t *testing.T, secrets map[string]string) {
	t.Helper()
	w.end()
	places := map[string]string{"trail": w.trail.String(), "log": w.log.String()}
	files, err := filepath.Glob(filepath.Join(filepath.Dir(w.cfg.Store.Path), "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("files %q, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		places[filepath.Base(file)] = string(data)
	}
	if !strings.Contains(places["trail"], "PasswordUpdated") ||
		!strings.Contains(places["rollcall.db"], "u2f/user/bob") {
		t.Error("the places are not those that were written to")
	}
	for place, text := range places {
		for what, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("the %s is in the %s", what, place)
			}
		}
	}
}

// If a crash kept a sign-in's record from the trail, it is there after the next
// start.
func TestSignInRecordsAfterCrash(t *testing.T) {
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			db := cfg(t)
			db.Now = time.Now
			w := newWorld(t, service.Config{Store: db})
			w.person(t, "bob", allowAll)
			w.role(t, "ops", trusting("bob"))
			token := w.enter(t, "bob")
			w.trail.fail.Store(true) // as if the process had ended here
			err := w.SignIn.SwitchRole(t.Context(), here, token, signin.Switch{Account: account, Role: "ops"})
			if failureCode(err) != "ServiceUnavailable" {
				t.Errorf("%v", err)
			}
			w.trail.fail.Store(false)
			w.end()
			next := start(t, service.Config{Store: db, Master: w.cfg.Master})
			text := ""
			for end := time.Now().Add(2 * time.Minute); text == "" &&
				time.Now().Before(end); text = next.trail.String() {
				time.Sleep(50 * time.Millisecond)
			}
			for _, want := range []string{`"recovered":true`, `"eventName":"SwitchRole"`,
				`"eventType":"AwsConsoleSignIn"`,
				`"arn":"arn:aws:sts::` + account + `:assumed-role/ops/bob"`} {
				if !strings.Contains(text, want) {
					t.Errorf("no %s in %s", want, text)
				}
			}
		})
	}
}
