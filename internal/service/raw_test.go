package service_test

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"
	"testing"

	"rollcall/internal/sigv4/sigv4test"
)

const formType = "application/x-www-form-urlencoded; charset=utf-8"

const iamVersion, stsVersion = "2010-05-08", "2011-06-15"

// answer is an answer in its wire form.
type answer struct {
	failure
	header http.Header
	body   string
}

// post creates an unsigned POST of a form.
func (w *world) post(t testing.TB, target, body string) *http.Request {
	t.Helper()
	r := w.request(t, "POST", target, strings.NewReader(body))
	r.Header.Set("Content-Type", formType)
	return r
}

func (w *world) request(t testing.TB, method, target string, body io.Reader) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, w.url+target, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// sign signs a request with a key at the present time.
func (w *world) sign(r *http.Request, body string, c clients, region, service string) {
	sigv4test.Sign(r, []byte(body), sigv4test.Credentials{AccessKeyID: c.id, SecretAccessKey: c.key}, region,
		service, w.cfg.Store.Now())
}

// bare does not follow redirects and keeps no connection.
var bare = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func send(t testing.TB, r *http.Request) answer {
	t.Helper()
	response, err := bare.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, response)
}

func read(t testing.TB, response *http.Response) answer {
	t.Helper()
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{failure: failure{status: response.StatusCode}, header: response.Header, body: string(body)}
	var refused struct {
		XMLName xml.Name `xml:"ErrorResponse"`
		Error   struct{ Code, Message string }
	}
	if xml.Unmarshal(body, &refused) == nil {
		a.code, a.message = refused.Error.Code, refused.Error.Message
	}
	return a
}

// raw sends a signed form as root.
func (w *world) raw(t testing.TB, form string) answer {
	t.Helper()
	service := "iam"
	if strings.Contains(form, stsVersion) {
		service = "sts"
	}
	return w.rawTo(t, form, service)
}

func (w *world) rawTo(t testing.TB, form, service string) answer {
	t.Helper()
	r := w.post(t, "/", form)
	w.sign(r, form, w.root, "us-east-1", service)
	return send(t, r)
}

// call returns the form of an IAM action.
func call(action, params string) string {
	return strings.TrimSuffix("Action="+action+"&Version="+iamVersion+"&"+params, "&")
}

// wants compares a refusal with the expected one.
func wants(t testing.TB, got answer, status int, code, message string) {
	t.Helper()
	if want := (failure{status, code, message}); got.failure != want {
		t.Errorf("\n got %+v\nwant %+v\n%s", got.failure, want, got.body)
	}
}
