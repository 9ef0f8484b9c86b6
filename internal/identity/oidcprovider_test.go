package identity_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

const oidcARN = "arn:aws:iam::" + account + ":oidc-provider/"

var print1, print2 = strings.Repeat("a1", 20), strings.Repeat("B2", 20)

// sameAnswer compares an answer with the expected one, member by member.
func sameAnswer[T any](t testing.TB, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, ignoreSDK, cmpopts.IgnoreTypes(middleware.Metadata{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// oidc creates a provider that has only a URL.
func (w *world) oidc(t testing.TB, url string) *string {
	t.Helper()
	return must(t, w.root, w.CreateOpenIDConnectProvider,
		&iam.CreateOpenIDConnectProviderInput{Url: &url}).OpenIDConnectProviderArn
}

func TestCreateOpenIDConnectProvider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		made := w.clock.Now()
		tags := []types.Tag{{Key: ptr("k"), Value: ptr("1")}, {Key: ptr("K"), Value: ptr("2")}}
		got := must(t, w.root, w.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{
			Url: ptr("https://Idp.example.com/a/b"), ClientIDList: []string{"two", "one", "one"},
			ThumbprintList: []string{print2, print1}, Tags: tags,
		})
		arn := ptr(oidcARN + "Idp.example.com/a/b")
		sorted := []types.Tag{tags[1], tags[0]}
		sameAnswer(t, got, &iam.CreateOpenIDConnectProviderOutput{OpenIDConnectProviderArn: arn, Tags: tags})
		w.clock.advance(time.Hour)
		want := &iam.GetOpenIDConnectProviderOutput{
			Url: ptr("Idp.example.com/a/b"), ClientIDList: []string{"two", "one"},
			ThumbprintList: []string{strings.ToLower(print2), print1}, CreateDate: &made, Tags: sorted,
		}
		sameAnswer(t, must(t, w.root, w.GetOpenIDConnectProvider,
			&iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}), want)
		// Lists of a provider without content are empty and not missing.
		bare := must(t, w.root, w.GetOpenIDConnectProvider,
			&iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: w.oidc(t, "https://a.example")})
		if bare.ClientIDList == nil || bare.ThumbprintList == nil || bare.Tags == nil ||
			len(bare.ClientIDList)+len(bare.ThumbprintList)+len(bare.Tags) > 0 {
			t.Errorf("%+v", bare)
		}
		list := must(t, w.root, w.ListOpenIDConnectProviders,
			&iam.ListOpenIDConnectProvidersInput{}).OpenIDConnectProviderList
		sameAnswer(t, list, []types.OpenIDConnectProviderListEntry{{Arn: arn}, {Arn: ptr(oidcARN + "a.example")}})
		for name, c := range map[string]struct {
			in            iam.CreateOpenIDConnectProviderInput
			status        int
			code, message string
		}{
			"exists": {iam.CreateOpenIDConnectProviderInput{Url: ptr("https://a.example")}, 409,
				"EntityAlreadyExists", "Provider with url https://a.example already exists."},
			"thumbprints": {
				iam.CreateOpenIDConnectProviderInput{Url: ptr("https://b.example"),
					ThumbprintList: []string{print1, print1, print1, print1, print1, print1}}, 400, "InvalidInput",
				"Thumbprint list must contain fewer than 5 entries."},
			"blanks": {
				iam.CreateOpenIDConnectProviderInput{Url: ptr("https://b.example"),
					ThumbprintList: []string{strings.Repeat(" ", 40)}}, 400, "InvalidInput",
				"Thumbprints must be printable characters without blanks."},
			"a query": {iam.CreateOpenIDConnectProviderInput{Url: ptr("https://example.org?x")}, 400,
				"InvalidInput", ""},
			"a fragment": {iam.CreateOpenIDConnectProviderInput{Url: ptr("https://example.org/#x")}, 400,
				"InvalidInput", ""},
			"its own port": {iam.CreateOpenIDConnectProviderInput{Url: ptr("https://a.example:443")}, 409,
				"EntityAlreadyExists", "Provider with url https://a.example:443 already exists."},
			"reserved tag": {
				iam.CreateOpenIDConnectProviderInput{Url: ptr("https://b.example"),
					Tags: []types.Tag{{Key: ptr("aws:x"), Value: ptr("")}}}, 400, "InvalidInput",
				"Tag keys beginning with aws: are reserved for system use."},
		} {
			t.Run(name, func(t *testing.T) {
				refused(t, w.root, w.CreateOpenIDConnectProvider, &c.in, c.status, c.code, c.message)
			})
		}
		for _, url := range []string{"example.org", "http://example.org", "https://", "https:///x",
			"https://a@example.org", "https://example.org/ x", "HTTPS://example.org", "https://[::1", "https://:443",
			"https://example.org/\t"} {
			refused(t, w.root, w.CreateOpenIDConnectProvider, &iam.CreateOpenIDConnectProviderInput{Url: &url}, 400,
				"ValidationError", "Invalid Open ID Connect Provider URL")
		}
		if n := len(must(t, w.root, w.ListOpenIDConnectProviders,
			&iam.ListOpenIDConnectProvidersInput{}).OpenIDConnectProviderList); n != 2 {
			t.Errorf("%d providers after what was refused", n)
		}
		document := metadata("", vectorBase64)
		must(t, w.root, w.CreateSAMLProvider,
			&iam.CreateSAMLProviderInput{Name: ptr("a"), SAMLMetadataDocument: &document})
		if n := must(t, w.root, w.GetAccountSummary, &iam.GetAccountSummaryInput{}).SummaryMap["Providers"]; n != 3 {
			t.Errorf("%d providers in the summary", n)
		}
	})
}

func TestOpenIDConnectProviderQuotas(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		var ids []string
		for i := range 101 {
			ids = append(ids, fmt.Sprint(i))
		}
		const over = "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"
		in := &iam.CreateOpenIDConnectProviderInput{Url: ptr("https://a.example"), ClientIDList: ids}
		refused(t, w.root, w.CreateOpenIDConnectProvider, in, 409, "LimitExceeded", over)
		in.ClientIDList = ids[:100]
		arn := must(t, w.root, w.CreateOpenIDConnectProvider, in).OpenIDConnectProviderArn
		add := &iam.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: &ids[100]}
		refused(t, w.root, w.AddClientIDToOpenIDConnectProvider, add, 409, "LimitExceeded", over)
		add.ClientID = &ids[5] // exists
		must(t, w.root, w.AddClientIDToOpenIDConnectProvider, add)
		if err := w.SetLimits(t.Context(), account, map[string]int{"OpenIdConnectProvidersPerAccount": 1}); err != nil {
			t.Fatal(err)
		}
		refused(t, w.root, w.CreateOpenIDConnectProvider,
			&iam.CreateOpenIDConnectProviderInput{Url: ptr("https://b.example")}, 409, "LimitExceeded",
			"Cannot exceed quota for OpenIdConnectProvidersPerAccount: 1")
	})
}

func TestChangeOpenIDConnectProvider(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		arn := w.oidc(t, "https://idp.example.com")
		w.oidc(t, "https://idp.example.com/other")
		get := func() *iam.GetOpenIDConnectProviderOutput {
			t.Helper()
			return must(t, w.root, w.GetOpenIDConnectProvider,
				&iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
		}
		for _, id := range []string{"b", "a", "b"} {
			must(t, w.root, w.AddClientIDToOpenIDConnectProvider,
				&iam.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: &id})
		}
		must(t, w.root, w.UpdateOpenIDConnectProviderThumbprint,
			&iam.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: arn,
				ThumbprintList: []string{print2, print1}})
		if got := get(); !cmp.Equal(got.ClientIDList, []string{"b", "a"}) ||
			!cmp.Equal(got.ThumbprintList, []string{strings.ToLower(print2), print1}) {
			t.Errorf("%+v", got)
		}
		for range 2 { // removing it again is not an error
			must(t, w.root, w.RemoveClientIDFromOpenIDConnectProvider,
				&iam.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, ClientID: ptr("a")})
		}
		refused(t, w.root, w.UpdateOpenIDConnectProviderThumbprint,
			&iam.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: arn, ThumbprintList: []string{}},
			400, "InvalidInput", "Thumbprint list must contain at least one entry.")
		upper := strings.Repeat("AG", 20) // recorded: no hexadecimal digits, stored in lower case
		must(t, w.root, w.UpdateOpenIDConnectProviderThumbprint,
			&iam.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: arn,
				ThumbprintList: []string{upper, upper}})
		if got := get(); !cmp.Equal(got.ClientIDList, []string{"b"}) ||
			!cmp.Equal(got.ThumbprintList, []string{strings.ToLower(upper), strings.ToLower(upper)}) {
			t.Errorf("%+v", got)
		}
		refused(t, w.root, w.UpdateOpenIDConnectProviderThumbprint,
			&iam.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: arn,
				ThumbprintList: []string{print1, print1, print1, print1, print1, print1}}, 400, "InvalidInput",
			"Thumbprint list must contain fewer than 5 entries.")

		must(t, w.root, w.DeleteOpenIDConnectProvider,
			&iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
		refused(t, w.root, w.DeleteOpenIDConnectProvider,
			&iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn}, 404, "NoSuchEntity",
			"OpenId connect Provider "+*arn+" cannot be found.")
		noProvider(t, w, *arn, "NoSuchEntity", 404, "OpenIDConnect Provider not found for arn "+*arn)
		// The ARN of another account names nothing in this one.
		other := strings.Replace(oidcARN+"idp.example.com/other", account, "210987654321", 1)
		noProvider(t, w, other, "NoSuchEntity", 404, "OpenIDConnect Provider not found for arn "+other)
		const role = "arn:aws:iam::" + account + ":role/idp.example.com"
		noProvider(t, w, role, "InvalidInput", 400, "ARN "+role+" is not valid.")
		refused(t, w.root, w.DeleteOpenIDConnectProvider,
			&iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: ptr(role)}, 400, "InvalidInput",
			"ARN "+role+" is not valid.")
	})
}

// noProvider calls every action on a provider that does not exist.
func noProvider(t *testing.T, w *world, arn, code string, status int, message string) {
	t.Helper()
	tag := []types.Tag{{Key: ptr("k"), Value: ptr("v")}}
	refused(t, w.root, w.GetOpenIDConnectProvider, &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn},
		status, code, message)
	refused(t, w.root, w.AddClientIDToOpenIDConnectProvider,
		&iam.AddClientIDToOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn, ClientID: ptr("x")}, status, code,
		message)
	refused(t, w.root, w.RemoveClientIDFromOpenIDConnectProvider,
		&iam.RemoveClientIDFromOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn, ClientID: ptr("x")}, status,
		code, message)
	refused(t, w.root, w.UpdateOpenIDConnectProviderThumbprint,
		&iam.UpdateOpenIDConnectProviderThumbprintInput{OpenIDConnectProviderArn: &arn,
			ThumbprintList: []string{print1}}, status, code, message)
	refused(t, w.root, w.TagOpenIDConnectProvider,
		&iam.TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn, Tags: tag}, status, code, message)
	refused(t, w.root, w.UntagOpenIDConnectProvider,
		&iam.UntagOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn, TagKeys: []string{"k"}}, status, code,
		message)
	refused(t, w.root, w.ListOpenIDConnectProviderTags,
		&iam.ListOpenIDConnectProviderTagsInput{OpenIDConnectProviderArn: &arn}, status, code, message)
}

// The tags of providers and of server certificates behave alike. This test uses
// an OpenID Connect provider.
func TestProviderTags(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		arn := w.oidc(t, "https://idp.example.com")
		tag := func(n int, value string) []types.Tag {
			var tags []types.Tag
			for i := range n {
				tags = append(tags, types.Tag{Key: ptr(fmt.Sprintf("k%02d", i)), Value: &value})
			}
			return tags
		}
		in := &iam.TagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn, Tags: tag(50, "a")}
		must(t, w.root, w.TagOpenIDConnectProvider, in)
		in.Tags = tag(2, "b")
		must(t, w.root, w.TagOpenIDConnectProvider, in)
		in.Tags = []types.Tag{{Key: ptr("K00"), Value: ptr("another key")}}
		refused(t, w.root, w.TagOpenIDConnectProvider, in, 409, "LimitExceeded",
			"The number of tags has reached the maximum limit.")
		in.Tags = []types.Tag{}
		refused(t, w.root, w.TagOpenIDConnectProvider, in, 400, "InvalidInput",
			"The provided tag map must not be null/empty.")
		in.Tags = append(tag(1, "a"), tag(1, "b")...)
		refused(t, w.root, w.TagOpenIDConnectProvider, in, 400, "InvalidInput", "Duplicate tag keys found.")
		for range 2 {
			must(t, w.root, w.UntagOpenIDConnectProvider,
				&iam.UntagOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn,
					TagKeys: []string{"k03", "nothing"}})
		}
		list := &iam.ListOpenIDConnectProviderTagsInput{OpenIDConnectProviderArn: arn, MaxItems: ptr(int32(3))}
		first := must(t, w.root, w.ListOpenIDConnectProviderTags, list)
		if want := append(tag(2, "b"), tag(3, "a")[2]); !first.IsTruncated || !cmp.Equal(want, first.Tags, ignoreSDK) {
			t.Errorf("%+v", first)
		}
		list.Marker, list.MaxItems = first.Marker, nil
		rest := must(t, w.root, w.ListOpenIDConnectProviderTags, list)
		if rest.IsTruncated || len(rest.Tags) != 46 || *rest.Tags[0].Key != "k04" {
			t.Errorf("%+v", rest)
		}
		// A marker is only valid for its list.
		list.OpenIDConnectProviderArn = w.oidc(t, "https://idp.example.org")
		refused(t, w.root, w.ListOpenIDConnectProviderTags, list, 400, "ValidationError", "Invalid Marker.")
	})
}
