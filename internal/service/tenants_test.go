package service_test

import (
	"encoding/base64"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/identity"
	"rollcall/internal/service"
	"rollcall/internal/storetest"
)

// The accounts of these tests. The account whose things are tried has the
// smaller number, so a query without the account's number finds its rows first.
const (
	theirAccount = "111111111111"
	theirMark    = "theirsecret"
)

// twoTenants creates two accounts that have the same things under the same
// names. theirs are the things of one, and mine are those of the account that
// calls.
func twoTenants(t testing.TB) (w *world, mine, theirs things) {
	w = newWorld(t, service.Config{Store: storetest.SQLite(t)})
	k := w.newAccount(t, identity.AccountSpec{ID: theirAccount})
	them := w.as(k.ID, k.Secret.Reveal())
	theirs = w.furnish(t, them, theirAccount, own, theirMark)
	mine = w.furnish(t, w.root, account, own, "mine")
	must(t, them.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: ptr(theirMark)})
	theirs["account"], theirs["alias"] = theirAccount, theirMark
	mine["account"], mine["alias"] = account, "mine"
	for _, c := range []clients{them, w.root} {
		must(t, c.UpdateAccountPasswordPolicy,
			&iam.UpdateAccountPasswordPolicyInput{MinimumPasswordLength: ptr(int32(8)),
				AllowUsersToChangePassword: true})
		must(t, c.GenerateCredentialReport, &iam.GenerateCredentialReportInput{})
		w.waitReport(t, c)
	}
	user := w.as(theirs["key"], theirs["secret"])
	theirs["message"] = w.denialMessage(t, user, call("CreateUser", "UserName=x"))
	return w, mine, theirs
}

// none returns a value in the same form as an account's value that names
// nothing.
func none(value string) string {
	if strings.HasPrefix(value, "arn:") {
		return value + "no"
	}
	if strings.HasSuffix(value, "f") { // the last hexadecimal digit
		return value[:len(value)-1] + "e"
	}
	swap := func(r rune) rune {
		switch {
		case r >= '0' && r <= '8' || r >= 'a' && r <= 'y' || r >= 'A' && r <= 'P':
			return r + 1
		case r == '9' || r == 'z':
			return r - 1
		}
		return r
	}
	last := len(value) - 1
	return value[:last] + strings.Map(swap, value[last:])
}

// known are the parameters by which an account may learn something about
// another: AWS reveals the account of an access key, and whether another
// account has an alias.
var known = map[string]bool{"GetAccessKeyInfo AccessKeyId": true, "CreateAccountAlias AccountAlias": true}

// A caller names things of another account. The caller's account has things
// with the same names. It learns and changes nothing of the other account: the
// answers are the same as for things that do not exist.
func TestTenantsAreApart(t *testing.T) {
	t.Parallel()
	w, mine, theirs := twoTenants(t)
	// Each account counts its own.
	summary := must(t, w.root.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap
	for name, want := range map[string]int32{
		"Users": 1, "Groups": 1, "Roles": 1, "Policies": 1, "PolicyVersionsInUse": 1,
		"InstanceProfiles": 1, "MFADevices": 1,
		"MFADevicesInUse": 1, "ServerCertificates": 1, "Providers": 2,
	} {
		if summary[name] != want {
			t.Errorf("%d %s, want %d", summary[name], name, want)
		}
	}
	must(t, w.root.CreateUser, &iam.CreateUserInput{UserName: ptr("admin")})
	admin := w.asUser(t, "admin")
	w.putUserPolicy(t, "admin", ptr(allowAll))
	table := openRows(t, w)
	before := ofAccount(table.all(t), theirAccount)
	if len(before) < 40 {
		t.Fatalf("the other account has %d rows", len(before))
	}
	for _, x := range foreign(t, w, mine, theirs) {
		if t.Failed() {
			return // the rest may be a consequence
		}
		for name, c := range map[string]clients{"root": w.root, "admin": admin} {
			got := w.try(t, c, x.try)
			if got.status >= 500 {
				t.Errorf("%s by %s: %+v", x, name, got.failure)
			}
			if text := plainly(said(got.body, x.try)); !known[x.action+" "+x.member] && holdsAny(text, theirs) {
				t.Errorf("%s by %s reveals the other account:\n%s", x, name, got.body)
			}
			if x.none.form != nil {
				want := w.try(t, c, x.none)
				if got, want := plainly(said(got.body, x.try)), plainly(said(want.body, x.none)); got != want {
					t.Errorf("%s by %s is told from what is not there:\n%s\n%s", x, name, got, want)
				}
			}
			if got.status != 200 {
				continue // nothing was committed
			}
			if rows := changed(before, ofAccount(table.all(t), theirAccount)); len(rows) > 0 {
				t.Fatalf("%s by %s changes the other account: %q", x, name, rows)
			}
		}
	}
}

// foreignTry is a request about another account's thing, and the same request
// about one that does not exist.
type foreignTry struct {
	try
	none try
}

// foreign returns the requests of all actions, each with one value of another
// account's. Requests about one's own things come first, because they must not
// reach the other account by the common names. Those that remove something come
// last.
func foreign(t testing.TB, w *world, mine, theirs things) (all []foreignTry) {
	t.Helper()
	for _, action := range slices.Sorted(maps.Keys(everyAction)) {
		for _, member := range members(t, w, action) {
			thing := parameters[member].thing
			if thing == "" || theirs[thing] == mine[thing] {
				continue
			}
			x := foreignTry{try: with(action, member, theirs[thing], mine)}
			if !known[action+" "+member] {
				x.none = with(action, member, none(theirs[thing]), mine)
			}
			all = append(all, x)
			if x.form.Get("UserName") == "" && slices.Contains(members(t, w, action), "UserName") {
				// It concerns the user with the name in this account, and not
				// the caller.
				named := foreignTry{with(action, member, theirs[thing], mine),
					with(action, member, none(theirs[thing]), mine)}
				named.form.Set("UserName", own)
				named.none.form.Set("UserName", own)
				all = append(all, named)
			}
		}
	}
	for _, action := range []string{"GenerateServiceLastAccessedDetails", "ListPoliciesGrantingServiceAccess"} {
		for _, kind := range []string{"group", "role", "policy"} {
			all = append(all,
				foreignTry{with(action, "Arn", theirs[kind], mine), with(action, "Arn", none(theirs[kind]), mine)})
		}
	}
	// Then come one's own things. They are removed last, so they exist before.
	for _, action := range slices.SortedFunc(maps.Keys(everyAction), takingAwayLast) {
		all = append(all, foreignTry{try: try{action, "", "", request(action, mine)}})
	}
	return all
}

func takingAwayLast(a, b string) int {
	takes := func(action string) string {
		for _, verb := range []string{"Delete", "Remove", "Detach", "Untag", "Deactivate", "Update"} {
			if strings.HasPrefix(action, verb) {
				return "2" + action
			}
		}
		return "1" + action
	}
	return strings.Compare(takes(a), takes(b))
}

var requestID = regexp.MustCompile(`<RequestId>[^<]*</RequestId>`)

// plainly returns an answer without the parts that always differ, with its
// content decoded.
func plainly(body string) string {
	if text, err := base64.StdEncoding.DecodeString(textOf(body, "Content")); err == nil {
		body += string(text)
	}
	return requestID.ReplaceAllString(body, "")
}

// holdsAny says whether a text contains something that only the other account
// has.
func holdsAny(text string, theirs things) bool {
	for kind, value := range theirs {
		if kind != "name" && kind != "message" && strings.Contains(text, value) {
			return true
		}
	}
	return false
}

// ofAccount returns the rows of one account.
func ofAccount(rows map[string]bool, account string) map[string]bool {
	all := map[string]bool{}
	for row := range rows {
		if _, cells, _ := strings.Cut(row, " "); strings.HasPrefix(cells, account+"|") {
			all[row] = true
		}
	}
	return all
}

// A marker is only valid for its account and its action.
func TestMarkersAreApart(t *testing.T) {
	t.Parallel()
	w, mine, theirs := twoTenants(t)
	k, err := w.IAM.CreateRootKey(t.Context(), theirAccount)
	if err != nil {
		t.Fatal(err)
	}
	root := w.as(k.ID, k.Secret.Reveal())
	w.fill(t, root)
	w.fill(t, w.root)
	given := 0
	for _, action := range slices.Sorted(maps.Keys(everyAction)) {
		if !slices.Contains(members(t, w, action), "Marker") {
			continue
		}
		theirPage := w.try(t, root, with(action, "MaxItems", "1", theirs))
		marker := textOf(theirPage.body, "Marker")
		if marker == "" {
			continue
		}
		given++
		mineToo := textOf(w.try(t, w.root, with(action, "MaxItems", "1", mine)).body, "Marker")
		if got := w.try(t, w.root, with(action, "Marker", mineToo, mine)); got.status != 200 {
			t.Errorf("%s: one's own marker: %+v", action, got.failure)
		}
		if got := w.try(t, w.root, with(action, "Marker", marker, mine)); got.code != "ValidationError" &&
			got.code != "InvalidInput" {
			t.Errorf("%s: another account's marker: %+v", action, got.failure)
		}
	}
	if given < 14 {
		t.Errorf("only %d actions gave a marker", given)
	}
}

func textOf(body, element string) string {
	_, rest, _ := strings.Cut(body, "<"+element+">")
	text, _, _ := strings.Cut(rest, "</"+element+">")
	return text
}

// fill adds a second item to each list, so that it has two pages.
func (w *world) fill(t testing.TB, c clients) {
	t.Helper()
	for i := range 2 {
		n := ptr(fmt.Sprint("second", i))
		must(t, c.CreateUser, &iam.CreateUserInput{UserName: n})
		must(t, c.CreateGroup, &iam.CreateGroupInput{GroupName: n})
		must(t, c.CreateRole, &iam.CreateRoleInput{RoleName: n, AssumeRolePolicyDocument: ptr(trustsEC2)})
		must(t, c.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: n})
		must(t, c.CreateVirtualMFADevice, &iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: n})
		must(t, c.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: ptr(own), UserName: n})
		must(t, c.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: n, UserName: ptr(own)})
		must(t, c.PutUserPolicy,
			&iam.PutUserPolicyInput{UserName: ptr(own), PolicyName: n, PolicyDocument: ptr(allowsAll)})
		must(t, c.PutGroupPolicy,
			&iam.PutGroupPolicyInput{GroupName: ptr(own), PolicyName: n, PolicyDocument: ptr(allowsAll)})
		must(t, c.PutRolePolicy,
			&iam.PutRolePolicyInput{RoleName: ptr(own), PolicyName: n, PolicyDocument: ptr(allowsAll)})
		must(t, c.TagUser, &iam.TagUserInput{UserName: ptr(own), Tags: tags(*n, "v")})
		must(t, c.TagRole, &iam.TagRoleInput{RoleName: ptr(own), Tags: tags(*n, "v")})
	}
	for _, arn := range []string{readOnly, "arn:aws:iam::aws:policy/IAMReadOnlyAccess"} {
		must(t, c.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: ptr(own), PolicyArn: &arn})
		must(t, c.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: ptr(own), PolicyArn: &arn})
		must(t, c.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: ptr(own), PolicyArn: &arn})
	}
}
