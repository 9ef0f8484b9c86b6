package service_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/servicecatalog"
)

// A page of a list has a limited size in bytes, whatever MaxItems is. The pages
// together are complete.
func TestListsAreBounded(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	path := "/" + strings.Repeat("&", 500) + "/"
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"` + account +
		`"},"Action":"sts:AssumeRole"}}` + strings.Repeat("\n", 1900)
	var tags []types.Tag
	for i := range 50 {
		tags = append(tags, types.Tag{Key: ptr(fmt.Sprintf("%02d%s", i, strings.Repeat("ä", 120))),
			Value: ptr(strings.Repeat("ö", 250))})
	}
	// These are barely more than one page.
	const users, roles = 900, 400
	for i := range users {
		user := &iam.CreateUserInput{UserName: ptr(fmt.Sprintf("n%03d", i)), Path: &path}
		if i < 200 {
			user.Tags = tags
		}
		must(t, w.root.CreateUser, user)
	}
	for i := range roles {
		name := ptr(fmt.Sprintf("n%03d", i))
		must(t, w.root.CreateRole, &iam.CreateRoleInput{RoleName: name, Path: &path,
			AssumeRolePolicyDocument: &trust, Description: ptr(strings.Repeat("&", 900))})
		must(t, w.root.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: name, Path: &path})
		must(t, w.root.AddRoleToInstanceProfile,
			&iam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: name})
	}
	grow(t, w)
	namespaces := "Arn=" + url.QueryEscape("arn:aws:iam::"+account+":role/n000")
	for i, namespace := range servicecatalog.Namespaces()[:200] {
		namespaces += fmt.Sprintf("&ServiceNamespaces.member.%d=%s", i+1, namespace)
	}
	for _, c := range []struct {
		action, form, element string
		items                 int
	}{
		{"ListRoles", "MaxItems=1000", "RoleName", roles},
		{"ListUsers", "MaxItems=1000", "UserName", users},
		{"ListInstanceProfiles", "MaxItems=1000", "InstanceProfileName", roles},
		{"GetAccountAuthorizationDetails", "MaxItems=1000&Filter.member.1=User", "UserName", users},
		{"ListPoliciesGrantingServiceAccess", namespaces, "ServiceNamespace", 200},
	} {
		t.Run(c.action, func(t *testing.T) {
			found, marker := 0, ""
			for page := 0; ; page++ {
				form := c.form
				if marker != "" {
					form += "&Marker=" + url.QueryEscape(marker)
				}
				a := w.raw(t, call(c.action, form))
				if len(a.body) > 4<<20 || a.code != "" {
					t.Fatalf("page %d: %s %s, %d MiB", page, a.code, a.message, len(a.body)>>20)
				}
				var n int
				if n, marker = elements(t, a.body, c.element); n == 0 {
					t.Fatalf("page %d is empty", page)
				}
				if found += n; marker == "" {
					break
				}
			}
			if found != c.items {
				t.Errorf("%d items", found)
			}
		})
	}
}

// grow fills the first role's policies up to their quota.
func grow(t *testing.T, w *world) {
	t.Helper()
	for i := range 165 {
		must(t, w.root.PutRolePolicy,
			&iam.PutRolePolicyInput{RoleName: ptr("n000"),
				PolicyName:     ptr(fmt.Sprintf("p%03d%s", i, strings.Repeat("x", 120))),
				PolicyDocument: ptr(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)})
	}
}

// elements counts the elements with a name in an answer, and finds its marker.
func elements(t *testing.T, body, name string) (n int, marker string) {
	t.Helper()
	for d := xml.NewDecoder(strings.NewReader(body)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return n, marker
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		switch {
		case ok && start.Name.Local == name:
			n++
		case ok && start.Name.Local == "Marker":
			if err := d.DecodeElement(&marker, &start); err != nil {
				t.Fatal(err)
			}
		}
	}
}
