package fleet

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/history"
)

// The roles are in the caller's partition.
func TestPartitions(t *testing.T) {
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov", "aws-eusc"} {
		t.Run(partition, func(t *testing.T) {
			var role, externalID, policy string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				form, _ := url.ParseQuery(string(body))
				if form.Get("Action") == "GetCallerIdentity" {
					io.WriteString(w,
						`<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>`+
							`<UserId>A</UserId><Arn>arn:`+partition+
							`:sts::123456789012:assumed-role/a/b</Arn></GetCallerIdentityResult>`+
							`</GetCallerIdentityResponse>`)
					return
				}
				role, externalID, policy = form.Get("RoleArn"), form.Get("ExternalId"), form.Get("Policy")
				w.WriteHeader(403)
				io.WriteString(w, refusal("AssumeRole", 403, "AccessDenied", "no").body)
			}))
			defer server.Close()
			awsEnvironment(t, "", "AWS_ACCESS_KEY_ID", "A", "AWS_SECRET_ACCESS_KEY", "s")
			c, err := SignIn(t.Context(), Settings{Endpoint: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			id, err := c.Identity(t.Context())
			if err != nil || id.Partition != partition || id.Account != "123456789012" {
				t.Fatalf("%+v, %v", id, err)
			}
			targets := c.Targets(id, []Member{{Account: "222222222222"}, {Account: "123456789012"}},
				Roles{Name: "audit/Reader", ExternalID: "x-1"})
			if targets[0].Partition != partition || targets[0].Endpoint != server.URL {
				t.Errorf("%+v", targets[0])
			}
			if _, err := targets[0].Open(t.Context()); !denied(err) {
				t.Error(err)
			}
			if want := "arn:" + partition + ":iam::222222222222:role/audit/Reader"; role != want ||
				externalID != "x-1" {
				t.Errorf("role %s, external id %s, want %s", role, externalID, want)
			}
			const reports = `{"Effect":"Allow","Action":["iam:GenerateCredentialReport","iam:GetCredentialReport"],` +
				`"Resource":"*"}`
			if want := `{"Version":"2012-10-17","Statement":[` + reports + `]}`; policy != want {
				t.Errorf("the session may %s, want %s", policy, want)
			}
			more := c.Targets(id, []Member{{Account: "222222222222"}},
				Roles{Name: "a", Actions: []string{"iam:ListUsers", "iam:ListAccessKeys"}})
			if _, err := more[0].Open(t.Context()); !denied(err) {
				t.Error(err)
			}
			if want := `{"Version":"2012-10-17","Statement":[` + reports +
				`,{"Effect":"Allow","Action":["iam:ListUsers","iam:ListAccessKeys"],"Resource":"*"}]}`; policy != want {
				t.Errorf("with more the session may %s, want %s", policy, want)
			}
			role = ""
			if _, err := targets[1].Open(t.Context()); err != nil || role != "" {
				t.Errorf("the caller's own account: %v, role %s", err, role)
			}
		})
	}
	t.Run("an answer that is not an identity", func(t *testing.T) {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.WriteString(w,
				`<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>`+
					`<Arn>arn:aws:sts::999999999999:x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		}))
		defer server.Close()
		awsEnvironment(t, "", "AWS_ACCESS_KEY_ID", "A", "AWS_SECRET_ACCESS_KEY", "s")
		c, err := SignIn(t.Context(), Settings{Endpoint: server.URL})
		if err != nil {
			t.Fatal(err)
		}
		if id, err := c.Identity(t.Context()); err == nil {
			t.Errorf("%+v", id)
		}
	})
}

func TestInactive(t *testing.T) {
	tests := []struct {
		account types.Account
		want    history.Status
	}{
		{types.Account{State: "ACTIVE"}, ""},
		{types.Account{State: "SUSPENDED"}, history.Suspended},
		{types.Account{State: "PENDING_CLOSURE"}, history.Closing},
		{types.Account{State: "PENDING_ACTIVATION"}, history.Pending},
		{types.Account{State: "CLOSED"}, history.Closed},
		{types.Account{State: "CLOSED", Status: "ACTIVE"}, history.Closed},
		{types.Account{State: "ACTIVE", Status: "SUSPENDED"}, ""},
		{types.Account{Status: "SUSPENDED"}, history.Suspended},
		{types.Account{State: "SOMETHING_NEW"}, ""},
		{types.Account{}, ""},
	}
	for _, test := range tests {
		if got := inactive(test.account); got != test.want {
			t.Errorf("%s, %s: %q, want %q", test.account.State, test.account.Status, got, test.want)
		}
	}
}

func TestNoOrganization(t *testing.T) {
	tests := []struct {
		name, body string
		status     int
		config     bool
		want       string
	}{
		{"not allowed", `{"__type":"AccessDeniedException","Message":"no"}`, 400, false, "AccessDeniedException"},
		{"not in one", `{"__type":"AWSOrganizationsNotInUseException","Message":"no"}`, 400, false, "NotInUse"},
		{"a service that has none", "<html>403 Forbidden</html>", 403, true, "name the accounts in a file instead"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(test.status)
				io.WriteString(w, test.body)
			}))
			defer server.Close()
			awsEnvironment(t, "", "AWS_ACCESS_KEY_ID", "A", "AWS_SECRET_ACCESS_KEY", "s")
			c, err := SignIn(t.Context(), Settings{Endpoint: server.URL})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Organization(t.Context())
			var config *ConfigError
			if err == nil || errors.As(err, &config) != test.config || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestParseAccounts(t *testing.T) {
	got, err := ParseAccounts(
		strings.NewReader(
			"\ufeff# all of them\r\n\r\n 111111111111\tpayments  production # since May\n" +
				"arn:aws-cn:iam::222222222222:role/audit/Reader\n333333333333"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Member{
		{Account: "111111111111", Name: "payments production"},
		{Account: "222222222222", Role: "arn:aws-cn:iam::222222222222:role/audit/Reader"},
		{Account: "333333333333"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for text, part := range map[string]string{
		"":                                           "no accounts",
		"# nothing\n":                                "no accounts",
		"111111111111\n\n11111111111":                `line 3: "11111111111" is neither`,
		"111111111111\n111111111111 again":           "line 2: account 111111111111 is on line 1 already",
		"arn:aws:iam::111111111111:user/a":           "neither",
		"arn:aws:iam::111111111111:role/":            "neither",
		"arn:aws:iam::11111111111:role/a":            "neither",
		"arn:aws:sts:x:111111111111:role/a":          "neither",
		"111111111111 " + strings.Repeat("x", 1<<20): "line 1",
	} {
		if got, err := ParseAccounts(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%.40q: %v, %v", text, got, err)
		}
	}
}

func FuzzParseAccounts(f *testing.F) {
	f.Add("111111111111 a b # c\narn:aws:iam::222222222222:role/x")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := ParseAccounts(strings.NewReader(text))
		if err != nil {
			return
		}
		seen := map[string]bool{}
		var again strings.Builder
		for _, m := range all {
			if seen[m.Account] || !history.IsAccountID(m.Account) || strings.ContainsAny(m.Name, "\n#") {
				t.Errorf("%+v", m)
			}
			seen[m.Account] = true
			if m.Role != "" {
				again.WriteString(m.Role)
			} else {
				again.WriteString(m.Account)
			}
			again.WriteString(" " + m.Name + "\n")
		}
		same, err := ParseAccounts(strings.NewReader(again.String()))
		if d := cmp.Diff(all, same); err != nil || d != "" {
			t.Errorf("%v %s", err, d)
		}
	})
}
