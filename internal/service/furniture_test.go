package service_test

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/ncruces/go-sqlite3/driver"
)

// things holds one thing of each kind in an account, by names, ARNs and ids in
// the form of requests.
type things map[string]string

// furnish creates one thing of each kind, all with one name. Their other texts
// contain the mark. Users have everything that users can have, and policies
// that allow nothing here.
func (w *world) furnish(t testing.TB, c clients, account, name, mark string) things {
	t.Helper()
	arn := func(kind string) string { return "arn:aws:iam::" + account + ":" + kind + "/" + name }
	n, document := &name, ptr(`{"Version":"2012-10-17","Statement":{"Sid":"`+mark+
		`","Effect":"Allow","Action":"iam:*","Resource":"arn:aws:s3:::`+mark+`"}}`)
	has := things{
		"name": name, "user": arn("user"), "group": arn("group"), "role": arn("role"),
		"policy": arn("policy"), "device": arn("mfa"),
		"profile": arn("instance-profile"), "certificate": arn("server-certificate"), "saml": arn("saml-provider"),
		"oidc": arn("oidc-provider") + ".example.com", "mark": mark,
	}
	all := tags("k", mark)
	must(t, c.CreateUser, &iam.CreateUserInput{UserName: n, Tags: all})
	must(t, c.CreateGroup, &iam.CreateGroupInput{GroupName: n})
	must(t, c.AddUserToGroup, &iam.AddUserToGroupInput{GroupName: n, UserName: n})
	must(t, c.CreateRole,
		&iam.CreateRoleInput{RoleName: n, Description: &mark, Tags: all, AssumeRolePolicyDocument: ptr(
			`{"Version":"2012-10-17","Statement":{"Sid":"` + mark + `","Effect":"Allow","Principal":{"AWS":"` +
				has["user"] + `"},"Action":"sts:AssumeRole"}}`)})
	must(t, c.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: n, PolicyDocument: document, Description: &mark, Tags: all})
	must(t, c.CreatePolicyVersion,
		&iam.CreatePolicyVersionInput{PolicyArn: ptr(has["policy"]), PolicyDocument: document})
	must(t, c.PutUserPolicy, &iam.PutUserPolicyInput{UserName: n, PolicyName: n, PolicyDocument: document})
	must(t, c.PutGroupPolicy, &iam.PutGroupPolicyInput{GroupName: n, PolicyName: n, PolicyDocument: document})
	must(t, c.PutRolePolicy, &iam.PutRolePolicyInput{RoleName: n, PolicyName: n, PolicyDocument: document})
	must(t, c.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: n, PolicyArn: ptr(has["policy"])})
	must(t, c.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: n, PolicyArn: ptr(has["policy"])})
	must(t, c.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: n, PolicyArn: ptr(has["policy"])})
	must(t, c.PutUserPermissionsBoundary,
		&iam.PutUserPermissionsBoundaryInput{UserName: n, PermissionsBoundary: ptr(has["policy"])})
	must(t, c.PutRolePermissionsBoundary,
		&iam.PutRolePermissionsBoundaryInput{RoleName: n, PermissionsBoundary: ptr(has["policy"])})
	must(t, c.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: n, Tags: all})
	must(t, c.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: n, RoleName: n})
	w.furnishCredentials(t, c, has)
	w.furnishProviders(t, c, has)
	job := must(t, c.GenerateServiceLastAccessedDetails,
		&iam.GenerateServiceLastAccessedDetailsInput{Arn: ptr(has["user"])})
	linked := must(t, c.CreateServiceLinkedRole,
		&iam.CreateServiceLinkedRoleInput{AWSServiceName: ptr("autoscaling.amazonaws.com"), CustomSuffix: n})
	task := must(t, c.DeleteServiceLinkedRole, &iam.DeleteServiceLinkedRoleInput{RoleName: linked.Role.RoleName})
	has["job"], has["task"] = *job.JobId, *task.DeletionTaskId
	return has
}

func (w *world) furnishCredentials(t testing.TB, c clients, has things) {
	t.Helper()
	n, mark := ptr(has["name"]), has["mark"]
	must(t, c.CreateLoginProfile, &iam.CreateLoginProfileInput{UserName: n, Password: ptr(goodPassword)})
	device := must(t, c.CreateVirtualMFADevice,
		&iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: n, Tags: tags("k", mark)}).VirtualMFADevice
	p := phone{*device.SerialNumber, string(device.Base32StringSeed)}
	must(t, c.EnableMFADevice, p.enable(t, has["name"], w.clock.Now()))
	key := must(t, c.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: n}).AccessKey
	has["key"], has["secret"] = *key.AccessKeyId, *key.SecretAccessKey
	cert := must(t, c.UploadSigningCertificate,
		&iam.UploadSigningCertificateInput{UserName: n, CertificateBody: certificate(t, w, mark)})
	has["signing"] = *cert.Certificate.CertificateId
	_, body := sshBody(t, rsaKey(t, 2048))
	has["ssh"] = *must(t, c.UploadSSHPublicKey,
		&iam.UploadSSHPublicKeyInput{UserName: n, SSHPublicKeyBody: &body}).SSHPublicKey.SSHPublicKeyId
	made := must(t, c.CreateServiceSpecificCredential,
		&iam.CreateServiceSpecificCredentialInput{UserName: n, ServiceName: ptr(codeCommit)})
	has["credential"] = *made.ServiceSpecificCredential.ServiceSpecificCredentialId
}

func (w *world) furnishProviders(t testing.TB, c clients, has things) {
	t.Helper()
	n, mark := ptr(has["name"]), has["mark"]
	must(t, c.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{
		Url: ptr("https://" + has["name"] + ".example.com"), ClientIDList: []string{mark}, Tags: tags("k", mark),
	})
	must(t, c.CreateSAMLProvider,
		&iam.CreateSAMLProviderInput{Name: n,
			SAMLMetadataDocument: samlMetadata(*certificate(t, w, mark)), Tags: tags("k", mark)})
	body, key := keyPair(t, w, mark)
	must(t, c.UploadServerCertificate,
		&iam.UploadServerCertificateInput{ServerCertificateName: n, CertificateBody: body,
			PrivateKey: key, Tags: tags("k", mark)})
}

// rows reads a SQLite store on disk, one text for each row.
type rows struct{ db *sql.DB }

func openRows(t testing.TB, w *world) rows {
	t.Helper()
	db, err := driver.Open("file:" + w.cfg.Store.Path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return rows{db}
}

// all returns the rows of all tables, except those that every call changes for
// its caller.
func (r rows) all(t testing.TB) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, table := range r.texts(t, `SELECT name FROM sqlite_master WHERE type = 'table'`) {
		// Data keys and records of calls do not belong to an account.
		if table == "outbox" || table == "trail_heads" || table == "data_keys" || strings.HasSuffix(table, "_last_used") ||
			table == "report_marks" || // with the last uses
			strings.HasPrefix(table, "sqlite_") || strings.HasPrefix(table, "goose_") {
			continue
		}
		for _, row := range r.texts(t, "SELECT * FROM "+table) {
			all[table+" "+row] = true
		}
	}
	return all
}

func (r rows) texts(t testing.TB, query string) (all []string) {
	t.Helper()
	found, err := r.db.QueryContext(context.Background(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer found.Close()
	columns, err := found.Columns()
	if err != nil {
		t.Fatal(err)
	}
	cells, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range cells {
		places[i] = &cells[i]
	}
	for found.Next() {
		if err := found.Scan(places...); err != nil {
			t.Fatal(err)
		}
		text := make([]string, len(cells))
		for i, c := range cells {
			if b, ok := c.([]byte); ok {
				c = string(b)
			}
			text[i] = fmt.Sprint(c)
		}
		all = append(all, strings.Join(text, "|"))
	}
	if err := found.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// changed returns the rows that are in only one of two states.
func changed(before, after map[string]bool) (rows []string) {
	for row := range before {
		if !after[row] {
			rows = append(rows, "- "+row)
		}
	}
	for row := range after {
		if !before[row] {
			rows = append(rows, "+ "+row)
		}
	}
	return rows
}
