package leavers

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"

	"rollcall/internal/sigv4/sigv4test"
)

// request is one call before it is signed.
type request struct {
	service, form string
	stranger      bool // signed with a key that does not exist, or not at all
}

// admin is the attached policy, document the inline one.
const (
	admin    = "arn:aws:iam::aws:policy/AdministratorAccess"
	document = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:GetUser","Resource":"*"}}`
)

// reads change nothing that is compared later.
var reads = []string{
	"Action=ListUsers&MaxItems=50", "Action=GetAccountSummary", "Action=GetUser", "Action=ListAccessKeys",
	"Action=GetAccountAuthorizationDetails&MaxItems=20", "Action=GenerateCredentialReport",
	"Action=GetCredentialReport",
	"Action=ListPolicies&Scope=AWS&MaxItems=20", "Action=GetAccountPasswordPolicy",
	// This policy is attached to few: the answer is about each of them.
	"Action=GenerateServiceLastAccessedDetails&Arn=arn:aws:iam::aws:policy/ReadOnlyAccess",
}

// next returns the next call of a client: a change of one of its own users, a
// read, or an unauthenticated call.
func (c *client) next() request {
	switch kind := rand.IntN(10); {
	case kind < 2:
		return request{service: "iam", form: reads[rand.IntN(len(reads))] + "&Version=2010-05-08"}
	case kind < 3:
		return request{service: "sts", form: "Action=GetCallerIdentity&Version=2011-06-15"}
	case kind < 4:
		return strangers[rand.IntN(len(strangers))]
	}
	if len(c.plan) == 0 {
		c.plan = c.changes()
	}
	r := c.plan[0]
	c.plan = c.plan[1:]
	return r
}

// strangers need no key of the account.
var strangers = []request{
	{service: "iam", form: "Action=ListUsers&Version=2010-05-08", stranger: true},
	{service: "sts", form: "Action=AssumeRoleWithWebIdentity&RoleArn=arn:aws:iam::123456789012:role/nobody" +
		"&RoleSessionName=stranger&" +
		"WebIdentityToken=eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2V4YW1wbGUuY29tIn0.AAAA&Version=2011-06-15",
		stranger: true},
}

// changes returns the calls about one more user, each action at most once.
func (c *client) changes() []request {
	c.subjects++
	name := fmt.Sprintf("%s-%d", c.name, c.subjects)
	of := func(action string, more ...string) request {
		form := url.Values{"Action": {action}, "UserName": {name}, "Version": {"2010-05-08"}}
		for i := 0; i < len(more); i += 2 {
			form.Set(more[i], more[i+1])
		}
		return request{service: "iam", form: form.Encode()}
	}
	create := of("CreateUser")
	if c.subjects%4 == 0 {
		return []request{create, of("DeleteUser")}
	}
	rest := []request{
		of("AttachUserPolicy", "PolicyArn", admin),
		of("PutUserPolicy", "PolicyName", "p", "PolicyDocument", document),
		of("CreateAccessKey"),
		of("TagUser", "Tags.member.1.Key", "k", "Tags.member.1.Value", "v"),
	}
	rand.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	return append([]request{create}, rest...)
}

// request returns a call as a signed HTTP request. An unauthenticated call is
// signed with a key that does not exist, or not at all.
func (c *client) request(of request) *http.Request {
	r, err := http.NewRequest(http.MethodPost, "http://"+hostOf(c.Addr)+"/", strings.NewReader(of.form))
	if err != nil {
		panic(err)
	}
	r.RemoteAddr = "127.0.0.1:1"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	key := c.Credentials
	if of.stranger {
		if of.service == "sts" {
			return r
		}
		key = sigv4test.Credentials{AccessKeyID: "AKIASTRANGERSTRANGER", SecretAccessKey: "of nobody"}
	}
	sigv4test.Sign(r, []byte(of.form), key, "us-east-1", of.service, c.Now())
	return r
}

func hostOf(addr string) string {
	if addr == "" {
		return "localhost"
	}
	return addr
}

// wire returns a call in its wire form.
func (c *client) wire(of request) []byte {
	r := c.request(of)
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST / HTTP/1.1\r\nHost: %s\r\nContent-Length: %d\r\n", r.Host, len(of.form))
	_ = r.Header.Write(&b)
	b.WriteString("\r\n")
	b.WriteString(of.form)
	return b.Bytes()
}
