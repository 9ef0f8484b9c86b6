package service_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/identity"
)

// lister reads one page of a list.
type lister func(c clients, marker *string, most *int32) (items []string, truncated bool, next *string, err error)

func names[T any](items []T, name func(T) *string) (all []string) {
	for _, item := range items {
		all = append(all, *name(item))
	}
	return all
}

// lists returns all actions with pages. fill fills the account.
func lists(serial string) map[string]lister {
	ctx, u := context.Background(), ptr("u")
	return map[string]lister{
		"ListUsers": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListUsers(ctx, &iam.ListUsersInput{Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.Users, func(u types.User) *string { return u.UserName }), out.IsTruncated, out.Marker, nil
		},
		"ListUsers of a path": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListUsers(ctx, &iam.ListUsersInput{PathPrefix: ptr("/p"), Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.Users, func(u types.User) *string { return u.UserName }), out.IsTruncated, out.Marker, nil
		},
		"ListUserTags": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.Tags, func(t types.Tag) *string { return t.Key }), out.IsTruncated, out.Marker, nil
		},
		"ListAccessKeys": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.AccessKeyMetadata, func(k types.AccessKeyMetadata) *string { return k.AccessKeyId }),
				out.IsTruncated, out.Marker, nil
		},
		"ListMFADevices": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListMFADevices(ctx, &iam.ListMFADevicesInput{UserName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.MFADevices, func(d types.MFADevice) *string { return d.SerialNumber }),
				out.IsTruncated, out.Marker, nil
		},
		"ListVirtualMFADevices": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListVirtualMFADevices(ctx, &iam.ListVirtualMFADevicesInput{Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.VirtualMFADevices, func(d types.VirtualMFADevice) *string { return d.SerialNumber }),
				out.IsTruncated, out.Marker, nil
		},
		"ListMFADeviceTags": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListMFADeviceTags(ctx,
				&iam.ListMFADeviceTagsInput{SerialNumber: &serial, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.Tags, func(t types.Tag) *string { return t.Key }), out.IsTruncated, out.Marker, nil
		},
		"ListSigningCertificates": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListSigningCertificates(ctx,
				&iam.ListSigningCertificatesInput{UserName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.Certificates, func(c types.SigningCertificate) *string { return c.CertificateId }),
				out.IsTruncated, out.Marker, nil
		},
		"ListSSHPublicKeys": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListSSHPublicKeys(ctx, &iam.ListSSHPublicKeysInput{UserName: u, Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return names(out.SSHPublicKeys, func(k types.SSHPublicKeyMetadata) *string { return k.SSHPublicKeyId }),
				out.IsTruncated, out.Marker, nil
		},
		"ListServiceSpecificCredentials": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			return serviceCredentialPage(c,
				&iam.ListServiceSpecificCredentialsInput{UserName: u, Marker: m, MaxItems: n})
		},
		"ListServiceSpecificCredentials of all": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			return serviceCredentialPage(c,
				&iam.ListServiceSpecificCredentialsInput{AllUsers: ptr(true), Marker: m, MaxItems: n})
		},
		"ListAccountAliases": func(c clients, m *string, n *int32) ([]string, bool, *string, error) {
			out, err := c.ListAccountAliases(ctx, &iam.ListAccountAliasesInput{Marker: m, MaxItems: n})
			if err != nil {
				return nil, false, nil, err
			}
			return out.AccountAliases, out.IsTruncated, out.Marker, nil
		},
	}
}

// listsOf returns lists and the lists of other files.
func listsOf(serial, account string) map[string]lister {
	all := lists(serial)
	maps.Copy(all, policyLists(account))
	return all
}

func serviceCredentialPage(c clients, in *iam.ListServiceSpecificCredentialsInput) ([]string, bool, *string, error) {
	out, err := c.ListServiceSpecificCredentials(context.Background(), in)
	if err != nil {
		return nil, false, nil, err
	}
	id := func(m types.ServiceSpecificCredentialMetadata) *string { return m.ServiceSpecificCredentialId }
	return names(out.ServiceSpecificCredentials, id), out.IsTruncated, out.Marker, nil
}

// fill creates five things of every kind in an account, except aliases, and
// returns the serial of a device with tags.
func fill(t testing.TB, w *world, root clients, account string) string {
	t.Helper()
	limits := map[string]int{"AccessKeysPerUser": 5, "CertificatesPerUser": 5,
		"ContextSpecificCredentialsPerUserPerContext": 5}
	if err := w.IAM.SetLimits(t.Context(), account, limits); err != nil {
		t.Fatal(err)
	}
	u := ptr("u")
	must(t, root.CreateUser, &iam.CreateUserInput{UserName: u})
	var serial string
	for i := range 5 {
		must(t, root.CreateUser,
			&iam.CreateUserInput{UserName: ptr(fmt.Sprintf("%c-%d", "aB"[i%2], i)), Path: ptr("/p/")})
		must(t, root.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: u})
		w.clock.advance(1)
		d := must(t, root.CreateVirtualMFADevice,
			&iam.CreateVirtualMFADeviceInput{VirtualMFADeviceName: ptr(fmt.Sprintf("d-%d", i))}).VirtualMFADevice
		serial = *d.SerialNumber
		must(t, root.EnableMFADevice, phone{serial, string(d.Base32StringSeed)}.enable(t, "u", w.clock.Now()))
		must(t, root.UploadSigningCertificate,
			&iam.UploadSigningCertificateInput{UserName: u, CertificateBody: certificate(t, w, "u")})
		_, body := sshBody(t, rsaKey(t, 2048))
		must(t, root.UploadSSHPublicKey, &iam.UploadSSHPublicKeyInput{UserName: u, SSHPublicKeyBody: &body})
		must(t, root.CreateServiceSpecificCredential,
			&iam.CreateServiceSpecificCredentialInput{UserName: u, ServiceName: ptr(codeCommit)})
	}
	must(t, root.TagUser, &iam.TagUserInput{UserName: u, Tags: manyTags(0, 5)})
	must(t, root.TagMFADevice, &iam.TagMFADeviceInput{SerialNumber: &serial, Tags: manyTags(0, 5)})
	must(t, root.CreateAccountAlias, &iam.CreateAccountAliasInput{AccountAlias: ptr("alias-" + account)})
	fillPolicies(t, root)
	return serial
}

func TestPages(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		serial := fill(t, w, w.root, account)
		for name, list := range listsOf(serial, account) {
			t.Run(name, func(t *testing.T) {
				whole, truncated, marker, err := list(w.root, nil, nil)
				if err != nil || truncated || marker != nil || !strings.Contains(name, "Alias") && len(whole) < 5 {
					t.Fatalf("%d items, truncated %t, %v", len(whole), truncated, err)
				}
				for _, sizes := range [][]int32{{1}, {2}, {5}, {6}, {1000}, {1, 3}, {3, 1, 1000}} {
					var got []string
					var marker *string
					for i := 0; ; i++ {
						size := sizes[i%len(sizes)]
						items, truncated, next, err := list(w.root, marker, &size)
						got = append(got, items...)
						if err != nil || truncated != (next != nil) || truncated && len(items) != int(size) {
							t.Fatalf("sizes %d, page %d: %d items, truncated %t, %v", sizes, i,
								len(items), truncated, err)
						}
						if marker = next; marker == nil {
							break
						}
						if len(*marker) > 320 {
							t.Errorf("a marker of %d characters", len(*marker))
						}
					}
					if !slices.Equal(got, whole) {
						t.Errorf("pages of %d: %q, want %q", sizes, got, whole)
					}
				}
			})
		}
	})
}

// A marker is only valid for the list, the filter and the account that it was
// created for.
func TestMarkers(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	all := listsOf(fill(t, w, w.root, account), account)
	key := w.newAccount(t, identity.AccountSpec{ID: "222222222222"})
	other := w.as(key.ID, key.Secret.Reveal())
	otherAll := listsOf(fill(t, w, other, "222222222222"), "222222222222")

	want := failure{400, "ValidationError", "Invalid Marker."}
	markers := map[string]string{}
	for name, list := range all {
		if name == "ListAccountAliases" {
			continue // it has no second page
		}
		_, _, next, err := list(w.root, nil, ptr(int32(1)))
		if err != nil {
			t.Fatal(err)
		}
		markers[name] = *next
	}
	for name, list := range all {
		want := want
		if name == "GetAccountAuthorizationDetails" {
			want.message = "Marker and Filter do not match"
		}
		try := func(what, marker string) {
			t.Helper()
			if _, _, _, err := list(w.root, &marker, nil); failureOf(err) != want {
				t.Errorf("%s: marker %s: got %+v", name, what, failureOf(err))
			}
		}
		for from, marker := range markers {
			if from != name {
				try("of "+from, marker)
			}
		}
		own := markers[name]
		if own == "" {
			continue
		}
		flipped := []byte(own)
		flipped[len(flipped)/2] ^= 1
		try("flipped", string(flipped))
		try("cut", own[:len(own)-1])
		try("longer", own+"A")
		try("plain name", "u")
		try("blank", " ")
		try("320 characters", strings.Repeat("A", 320))
		if _, _, _, err := otherAll[name](other, &own, nil); failureOf(err) != want {
			t.Errorf("%s: marker of another account: got %+v", name, failureOf(err))
		}
		for marker, message := range map[string]string{
			"":                       "must contain only printable ASCII characters.",
			strings.Repeat("A", 321): "Member must have length less than or equal to 320",
		} {
			_, _, _, err := list(w.root, &marker, nil)
			if got := failureOf(err); got.code != "ValidationError" || !strings.Contains(got.message, message) {
				t.Errorf("%s: marker of %d characters: got %+v", name, len(marker), got)
			}
		}
		for size, message := range map[int32]string{0: "greater than or equal to 1", -1: "greater than or equal to 1",
			1001: "less than or equal to 1000"} {
			_, _, _, err := list(w.root, nil, &size)
			if got := failureOf(
				err); got != (failure{400, "ValidationError",
				"1 validation error detected: Value at 'maxItems' failed to satisfy constraint: Member must " +
					"have value " + message}) {
				t.Errorf("%s: MaxItems %d: got %+v", name, size, got)
			}
		}
	}
}

// A page continues after a name, even if that user has been deleted.
func TestPagesWhileChanging(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		w.user(t, name)
	}
	first := must(t, w.root.ListUsers, &iam.ListUsersInput{MaxItems: ptr(int32(2))})
	must(t, w.root.DeleteUser, &iam.DeleteUserInput{UserName: ptr("b")})
	w.user(t, "B2")
	w.user(t, "a0")
	rest := must(t, w.root.ListUsers, &iam.ListUsersInput{Marker: first.Marker})
	if got := strings.Join(names(rest.Users, func(u types.User) *string { return u.UserName }), " "); got != "B2 c d" {
		t.Errorf("the second page is %s", got)
	}
}

// drain reads all pages of one of the SDK's paginators.
func drain[Out any](t testing.TB, p interface {
	HasMorePages() bool
	NextPage(context.Context, ...func(*iam.Options)) (*Out, error)
}, count func(*Out) int) (pages, items int) {
	t.Helper()
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		pages++
		items += count(out)
	}
	return pages, items
}

func TestSDKPaginators(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	serial := fill(t, w, w.root, account)
	u, two := ptr("u"), ptr(int32(2))
	expect := func(pages, items int) func(name string, gotPages, gotItems int) {
		return func(name string, gotPages, gotItems int) {
			t.Helper()
			if gotPages != pages || gotItems != items {
				t.Errorf("%s: %d items on %d pages, want %d on %d", name, gotItems, gotPages, items, pages)
			}
		}
	}
	five := expect(3, 5)
	pages, items := drain(t, iam.NewListUsersPaginator(w.root, &iam.ListUsersInput{MaxItems: two}),
		func(o *iam.ListUsersOutput) int { return len(o.Users) })
	expect(3, 6)("ListUsers", pages, items)
	pages, items = drain(t, iam.NewListUserTagsPaginator(w.root, &iam.ListUserTagsInput{UserName: u, MaxItems: two}),
		func(o *iam.ListUserTagsOutput) int { return len(o.Tags) })
	five("ListUserTags", pages, items)
	pages, items = drain(t,
		iam.NewListAccessKeysPaginator(w.root, &iam.ListAccessKeysInput{UserName: u, MaxItems: two}),
		func(o *iam.ListAccessKeysOutput) int { return len(o.AccessKeyMetadata) })
	five("ListAccessKeys", pages, items)
	pages, items = drain(t,
		iam.NewListMFADevicesPaginator(w.root, &iam.ListMFADevicesInput{UserName: u, MaxItems: two}),
		func(o *iam.ListMFADevicesOutput) int { return len(o.MFADevices) })
	five("ListMFADevices", pages, items)
	pages, items = drain(t,
		iam.NewListVirtualMFADevicesPaginator(w.root, &iam.ListVirtualMFADevicesInput{MaxItems: two}),
		func(o *iam.ListVirtualMFADevicesOutput) int { return len(o.VirtualMFADevices) })
	five("ListVirtualMFADevices", pages, items)
	pages, items = drain(t,
		iam.NewListMFADeviceTagsPaginator(w.root, &iam.ListMFADeviceTagsInput{SerialNumber: &serial, MaxItems: two}),
		func(o *iam.ListMFADeviceTagsOutput) int { return len(o.Tags) })
	five("ListMFADeviceTags", pages, items)
	pages, items = drain(t,
		iam.NewListSigningCertificatesPaginator(w.root, &iam.ListSigningCertificatesInput{UserName: u, MaxItems: two}),
		func(o *iam.ListSigningCertificatesOutput) int { return len(o.Certificates) })
	five("ListSigningCertificates", pages, items)
	pages, items = drain(t,
		iam.NewListSSHPublicKeysPaginator(w.root, &iam.ListSSHPublicKeysInput{UserName: u, MaxItems: two}),
		func(o *iam.ListSSHPublicKeysOutput) int { return len(o.SSHPublicKeys) })
	five("ListSSHPublicKeys", pages, items)
	pages, items = drain(t, iam.NewListAccountAliasesPaginator(w.root, &iam.ListAccountAliasesInput{MaxItems: two}),
		func(o *iam.ListAccountAliasesOutput) int { return len(o.AccountAliases) })
	expect(1, 1)("ListAccountAliases", pages, items)
}
