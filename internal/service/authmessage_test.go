package service_test

import (
	"encoding/base64"
	"encoding/json"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/sts"

	"rollcall/internal/identity"
)

// denialMessage sends a call that is denied and returns the message in its
// answer.
func (w *world) denialMessage(t testing.TB, by clients, body string) string {
	t.Helper()
	r := w.post(t, "/", body)
	w.sign(r, body, by, "us-east-1", "iam")
	a := send(t, r)
	if a.code != "AccessDenied" {
		t.Fatalf("%+v", a.failure)
	}
	return a.header.Get("X-Rollcall-Authorization-Message")
}

// decoded is the part of a decoded message that the tests check.
type decoded struct {
	Allowed, ExplicitDeny bool
	MatchedStatements     struct {
		Items []struct {
			StatementID, Effect string
			Actions, Resources  struct{ Items []struct{ Value string } }
		}
	}
	Failures struct{ Items []string }
	Context  struct {
		Principal        struct{ ID, Name, ARN string }
		Action, Resource string
		Conditions       struct {
			Items []struct {
				Key    string
				Values struct{ Items []struct{ Value string } }
			}
		}
	}
}

// A denial contains the reason for callers with the permission to decode it.
func TestDecodeAuthorizationMessage(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.user(t, "Ann")
		ann := w.asUser(t, "Ann")
		message := w.denialMessage(t, ann,
			call("CreateUser", "UserName=new&Tags.member.1.Key=team&Tags.member.1.Value=ops"))
		if len(message) == 0 || len(message) > 4096 ||
			strings.Trim(message, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != "" {
			t.Fatalf("message %q", message)
		}
		refused(t, ann.sts.DecodeAuthorizationMessage, &sts.DecodeAuthorizationMessageInput{EncodedMessage: &message},
			403, "AccessDenied",
			notAuthorized(userPath+"/Ann", "sts:DecodeAuthorizationMessage", "*")+
				" because no identity-based policy allows the sts:DecodeAuthorizationMessage action")
		decode := func(message string) (d decoded) {
			t.Helper()
			text := *must(t, w.root.sts.DecodeAuthorizationMessage,
				&sts.DecodeAuthorizationMessageInput{EncodedMessage: &message}).DecodedMessage
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				t.Fatal(err)
			}
			// As AWS documents it, no list is null.
			if strings.Contains(text, "null") {
				t.Error(text)
			}
			return d
		}
		d := decode(message)
		if d.Allowed || d.ExplicitDeny || len(d.MatchedStatements.Items) != 0 || d.Context.Action != "iam:CreateUser" ||
			d.Context.Resource != userPath+"/new" ||
			d.Context.Principal.Name != "Ann" || d.Context.Principal.ARN != userPath+"/Ann" ||
			!strings.HasPrefix(d.Context.Principal.ID, "AIDA") {
			t.Errorf("%+v", d)
		}
		conditions := map[string]string{}
		for _, c := range d.Context.Conditions.Items {
			conditions[c.Key] = c.Values.Items[0].Value
		}
		if conditions["aws:SourceIp"] != "127.0.0.1" || conditions["aws:username"] != "Ann" ||
			conditions["aws:TagKeys"] != "team" || conditions["aws:RequestedRegion"] != "us-east-1" {
			t.Errorf("%+v", conditions)
		}

		w.putUserPolicy(t, "Ann",
			ptr(`{"Version":"2012-10-17","Statement":[{"Sid":"NoUsers","Effect":"Deny","Action":["iam:Create*"],`+
				`"Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/team":"ops"}}}]}`))
		d = decode(w.denialMessage(t, ann,
			call("CreateUser", "UserName=new&Tags.member.1.Key=team&Tags.member.1.Value=ops")))
		if st := d.MatchedStatements.Items; !d.ExplicitDeny || len(st) != 1 || st[0].StatementID != "NoUsers" ||
			st[0].Effect != "DENY" || st[0].Actions.Items[0].Value != "iam:Create*" ||
			st[0].Resources.Items[0].Value != "*" {
			t.Errorf("%+v", d)
		}
		if last := d.Context.Conditions.Items[len(d.Context.Conditions.Items)-1]; last.Key != "aws:RequestTag/team" ||
			last.Values.Items[0].Value != "ops" {
			t.Errorf("%+v", last)
		}

		// A message can only be decoded in its own account and service.
		key := w.newAccount(t, identity.AccountSpec{ID: "222222222222"})
		other := w.as(key.ID, key.Secret.Reveal())
		sealed, err := base64.RawURLEncoding.DecodeString(message)
		if err != nil {
			t.Fatal(err)
		}
		sealed[len(sealed)/2] ^= 1
		token := *must(t, w.root.sts.GetSessionToken, &sts.GetSessionTokenInput{}).Credentials.SessionToken
		for name, m := range map[string]string{"changed": base64.RawURLEncoding.EncodeToString(sealed),
			"short": message[:20], "no base64": "?!", "a token": token} {
			_, err := w.root.sts.DecodeAuthorizationMessage(t.Context(),
				&sts.DecodeAuthorizationMessageInput{EncodedMessage: &m})
			if got := failureOf(
				err); got != (failure{400, "InvalidAuthorizationMessageException", "Message is not valid"}) {
				t.Errorf("%s: %+v", name, got)
			}
		}
		refused(t, other.sts.DecodeAuthorizationMessage, &sts.DecodeAuthorizationMessageInput{EncodedMessage: &message},
			400, "InvalidAuthorizationMessageException", "Message is not valid")
	})
}

// A header has a limited length, whatever the request contains.
func TestLongAuthorizationMessage(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	w.user(t, "Ann")
	ann := w.asUser(t, "Ann")
	keys := "UserName=bob"
	for i := range 50 {
		keys += "&TagKeys.member." + strconv.Itoa(i+1) + "=" + strings.Repeat(string(rune('a'+i%26)), 60) +
			strconv.Itoa(i*7919) + strings.Repeat("x", 60)
	}
	body := call("UntagUser", keys)
	r := w.post(t, "/", body)
	noise := make([]byte, 6000) // incompressible
	random := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte('!' + random.IntN(90))
	}
	r.Header.Set("User-Agent", string(noise))
	w.sign(r, body, ann, "us-east-1", "iam")
	a := send(t, r)
	message := a.header.Get("X-Rollcall-Authorization-Message")
	if a.code != "AccessDenied" || len(message) == 0 || len(message) > 4096 {
		t.Fatalf("%+v %d", a.failure, len(message))
	}
	text := *must(t, w.root.sts.DecodeAuthorizationMessage,
		&sts.DecodeAuthorizationMessageInput{EncodedMessage: &message}).DecodedMessage
	if !strings.Contains(text, `"action":"iam:UntagUser"`) {
		t.Error(text)
	}
}
