package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// vector is one case of AWS's test suite; see testdata/vectors/NOTICE.
// canonical and stringToSign are empty where the suite's file was not
// available; the signature determines both.
type vector struct {
	Name, Request, Canonical, StringToSign, Authorization string
}

// refusedVectors have valid signatures, but contain something that this package
// refuses by design. Their canonical request, string to sign and signature are
// still checked.
var refusedVectors = map[string]string{
	"get-header-key-duplicate": "'my-header1' must be given exactly once.",
	"get-header-value-order":   "'my-header1' must be given exactly once.",
	"post-sts-header-after":    "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization.",
}

func TestVectors(t *testing.T) {
	for _, file := range []struct {
		name string
		want int
	}{{"header.json", 33}, {"presigned.json", 14}} {
		vectors := mustReadVectors(t, file.name)
		if len(vectors) != file.want {
			t.Errorf("%s has %d vectors, want %d", file.name, len(vectors), file.want)
		}
		for _, v := range vectors {
			t.Run(strings.TrimSuffix(file.name, ".json")+"/"+v.Name, func(t *testing.T) { testVector(t, v) })
		}
	}
}

func testVector(t *testing.T, v vector) {
	r, body := mustParseRequest(t, v.Request)
	if v.Authorization != "" {
		r.Header.Set("Authorization", v.Authorization)
	}
	verifier := vectorVerifier()

	// The three stages of the suite, from the bottom up.
	query, err := ParseQuery(r.URL.RawQuery)
	if err != nil {
		t.Fatal(err)
	}
	c, err := readClaim(r, query)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.checkTime(vectorTime); err != nil {
		t.Fatal(err)
	}
	if err := c.checkScope(verifier.Services, nil); err != nil {
		t.Fatal(err)
	}
	canonical := appendCanonicalRequest(nil, r, query, c, body)
	if v.Canonical != "" {
		if diff := cmp.Diff(v.Canonical, string(canonical)); diff != "" {
			t.Errorf("canonical request (-want +got):\n%s", diff)
		}
	}
	toSign := appendStringToSign(nil, c, sha256.Sum256(canonical))
	if v.StringToSign != "" {
		if diff := cmp.Diff(v.StringToSign, string(toSign)); diff != "" {
			t.Errorf("string to sign (-want +got):\n%s", diff)
		}
	}
	key := signingKey([]byte(vectorSecret), c.date, c.region, c.service)
	mac := hmacSHA256(key[:], toSign)
	if got := string(appendHex(nil, mac[:])); got != c.signature {
		t.Errorf("signature = %s, want %s; canonical request:\n%s", got, c.signature, canonical)
	}

	// The same as a whole.
	got, err := verifier.Verify(r, body)
	if refusal := refusedVectors[v.Name]; refusal != "" {
		if err == nil || err.Error() != "SignatureDoesNotMatch: "+refusal {
			t.Fatalf("Verify = %v, want refusal %q", err, refusal)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if got.Principal() != "example" || got.AccessKeyID() != "AKIDEXAMPLE" || got.Region() != "us-east-1" ||
		got.Service() != "service" || !got.SignedAt().Equal(vectorTime) || got.Presigned() != (v.Authorization == "") {
		t.Errorf("Verify = %+v", got.proof)
	}
}

const vectorSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

var vectorTime = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

func vectorVerifier() *Verifier[string] {
	return &Verifier[string]{
		Lookup: func(_ context.Context, id, _ string) ([]byte, string, error) {
			if id != "AKIDEXAMPLE" {
				return nil, "", ErrUnknownKey
			}
			return []byte(vectorSecret), "example", nil
		},
		Now:      func() time.Time { return vectorTime },
		Services: []string{"service"},
	}
}

func mustReadVectors(t *testing.T, name string) (vectors []vector) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// mustParseRequest reads a request of the suite. http.ReadRequest would refuse
// the spaces and raw UTF-8 in some of its targets.
func mustParseRequest(t *testing.T, text string) (*http.Request, []byte) {
	t.Helper()
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	method, target, _ := strings.Cut(lines[0], " ")
	target = strings.TrimSuffix(target, " HTTP/1.1")
	path, query, _ := strings.Cut(target, "?")
	r := &http.Request{
		Method: method,
		URL:    &url.URL{Path: path, RawPath: path, RawQuery: query},
		Header: make(http.Header),
	}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("bad header line %q", line)
		}
		if value = strings.TrimSpace(value); name == "Host" {
			r.Host = value
		} else {
			r.Header.Add(name, value)
		}
	}
	return r, []byte(body)
}
