package service_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/service"
	"rollcall/internal/storetest"
)

// asksLess are the parameters whose things need no permission on AWS: the
// service authorization reference only has the other thing of the call.
var asksLess = map[string]bool{
	"AddUserToGroup UserName": true, "RemoveUserFromGroup UserName": true,
	// Policies may use iam:PolicyARN and iam:PermissionsBoundary for these.
	"AttachUserPolicy PolicyArn": true, "AttachGroupPolicy PolicyArn": true, "AttachRolePolicy PolicyArn": true,
	"DetachUserPolicy PolicyArn": true, "DetachGroupPolicy PolicyArn": true, "DetachRolePolicy PolicyArn": true,
	"AssumeRole PolicyArns":                          true, // they only limit the session
	"PutUserPermissionsBoundary PermissionsBoundary": true, "PutRolePermissionsBoundary PermissionsBoundary": true,
}

// ownOnly returns a policy that allows everything on things with the name own,
// and on paths below it.
func ownOnly() string {
	var arns []string
	for _, kind := range []string{"user", "group", "role", "policy", "instance-profile", "mfa",
		"server-certificate", "saml-provider"} {
		arns = append(arns, "arn:aws:iam::"+account+":"+kind+"/own", "arn:aws:iam::"+account+":"+kind+"/own/*")
	}
	arns = append(arns, oidcPath+"/own.example.com", oidcPath+"/own.example.com/own")
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":["` +
		strings.Join(arns, `","`) + `"]}}`
}

// Whatever further parameters a caller gives, an action reads and changes only
// the things that the caller may act on. A parameter that extends what the call
// affects also extends what is authorized.
func TestNothingBeyondWhatIsAllowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service.Config{Store: storetest.SQLite(t)})
	mine := w.furnish(t, w.root, account, own, own)
	theirs := w.furnish(t, w.root, account, stranger, stranger)
	mine["account"], theirs["account"] = account, "222222222222"
	too, path, document := ptr(stranger+"too"), ptr("/own"+stranger+"/"), ptr(allowsAll)
	must(t, w.root.CreateUser, &iam.CreateUserInput{UserName: too, Path: path})
	must(t, w.root.CreateGroup, &iam.CreateGroupInput{GroupName: too, Path: path})
	must(t, w.root.CreateRole,
		&iam.CreateRoleInput{RoleName: too, Path: path, AssumeRolePolicyDocument: ptr(trustsEC2)})
	must(t, w.root.CreatePolicy, &iam.CreatePolicyInput{PolicyName: too, Path: path, PolicyDocument: document})
	must(t, w.root.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: too, Path: path})
	body, key := keyPair(t, w, *too)
	must(t, w.root.UploadServerCertificate, &iam.UploadServerCertificateInput{ServerCertificateName: too, Path: path,
		CertificateBody: body, PrivateKey: key})
	must(t, w.root.DeleteUserPermissionsBoundary, &iam.DeleteUserPermissionsBoundaryInput{UserName: ptr(own)})
	w.putUserPolicy(t, own, ptr(ownOnly()))
	caller := w.as(mine["key"], mine["secret"])

	table := openRows(t, w)
	db := second(t, w)
	var backup bytes.Buffer
	if _, err := db.Backup(t.Context(), &backup, nil); err != nil {
		t.Fatal(err)
	}
	before := table.all(t)
	succeeded := map[string]bool{}
	for _, x := range tries(t, w, mine, theirs) {
		got := w.try(t, caller, x)
		if got.status >= 500 {
			t.Errorf("%s: %+v", x, got.failure)
		}
		if got.status != 200 {
			continue
		}
		succeeded[x.action] = true
		if slices.Contains(entities, x.value) && !asksLess[x.action+" "+x.member] {
			t.Errorf("%s is answered, about an entity that the caller may not read", x)
		}
		// Values of the request itself may come back.
		if strings.Contains(said(got.body, x), stranger) {
			t.Errorf("%s reads what the caller may not:\n%s", x, got.body)
		}
		rows := changed(before, table.all(t))
		for _, row := range rows {
			if asksLess[x.action+" "+x.member] {
				continue
			}
			gone := strings.HasPrefix(row, "- ") && !strings.HasPrefix(row, "- accounts ")
			if strings.Contains(said(row, x), stranger) || gone && !strings.Contains(row, own) {
				t.Errorf("%s changes what the caller may not: %s", x, row)
			}
		}
		if len(rows) > 0 {
			if _, err := db.Restore(t.Context(), bytes.NewReader(backup.Bytes()), true, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(succeeded) < 90 {
		t.Errorf("only %d actions ever succeeded", len(succeeded))
	}
}

// said removes the values of a request from a text: the value, and the account
// of an ARN if a sentence names it.
func said(text string, x try) string {
	if x.value == "" {
		return text
	}
	text = strings.ReplaceAll(text, x.value, "")
	if given, err := arn.Parse(x.value); err == nil {
		text = strings.ReplaceAll(text, "in account "+given.AccountID, "in account")
	}
	return text
}

// tries returns the requests of all actions about my things, unchanged and each
// with one changed parameter.
func tries(t testing.TB, w *world, mine, theirs things) (all []try) {
	t.Helper()
	for action := range everyAction {
		if unsigned[action] != "" {
			continue // no policies are evaluated
		}
		all = append(all, try{action, "", "", request(action, mine)})
		for _, member := range members(t, w, action) {
			p := parameters[member]
			values := slices.Clone(p.values)
			if thing := theirs[p.thing]; thing != "" {
				values = append(values, thing)
				if _, there := request(action, mine)[member]; there {
					without := request(action, mine)
					without.Del(member)
					all = append(all, try{action, member, "", without})
				}
			}
			for _, value := range values {
				all = append(all, with(action, member, value, mine))
			}
		}
	}
	return all
}
