package service_test

import (
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"rollcall/internal/service"
)

// FuzzRequest sends its input as the body, the query and a header of a request
// that root signs. The answer always has one of AWS's forms, is never the
// server's fault, and leaves one record.
func FuzzRequest(f *testing.F) {
	for action := range everyAction {
		body, _ := form(action)
		f.Add("POST", "", body, "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD", true)
		f.Add("GET", body, "", "User-Agent", "fuzz", false)
	}
	for _, body := range []string{
		"", "%", "&&&", "=", "a=%zz", "Action=&Version=", "Action=GetUser&Action=GetUser",
		call("TagUser", "UserName=u&Tags.member.12.Key=x"),
		call("ListUsers", "MaxItems=99999999999999999999&Marker=%00"),
		call("CreateLoginProfile", "PasswordResetRequired=maybe"),
		call("GetCredentialReport", "Rollcall.At=2026-11-23T10:00:00Z"),
		call("TagUser", "Tags=&Tags.member=&Tags.member.1=&Tags.member.1.Key.=x"),
		call("UploadSSHPublicKey", "UserName=u&SSHPublicKeyBody=ssh-rsa%20AAAA"),
		call("CreateUser", "UserName=%F0%9F%98%80&Path=/%2F"),
	} {
		f.Add("POST", body, "", "Content-Type", "text/plain", true)
		f.Add("POST", "", body, "Authorization", "AWS4-HMAC-SHA256 Credential=/////", false)
		f.Add("GET", body, "", "X-Amz-Date", "20261123T100000Z", true)
	}
	records := &sink{}
	w := newWorld(f, service.Config{Trail: unlimited(records)})
	records.lines()
	f.Fuzz(func(t *testing.T, method, query, body, name, value string, headerIsSigned bool) {
		r, err := http.NewRequest(method, w.url+"/", io.NopCloser(strings.NewReader(body)))
		if err != nil || !validHeader(name, value) || strings.ContainsAny(query, "#\x00 \r\n\t") {
			return // an HTTP server cannot receive such a request
		}
		r.URL.RawQuery, r.RemoteAddr, r.ContentLength = query, "127.0.0.1:1", int64(len(body))
		r.Header.Set("Content-Type", formType)
		if headerIsSigned {
			r.Header.Set(name, value)
		}
		service := "iam"
		if strings.Contains(body+query, stsVersion) {
			service = "sts"
		}
		w.sign(r, body, w.root, "us-east-1", service)
		if !headerIsSigned {
			r.Header.Set(name, value)
		}
		got := httptest.NewRecorder()
		w.Handler.ServeHTTP(got, r)

		lines := records.lines()
		text := got.Body.String()
		switch kind := got.Header().Get("Content-Type"); {
		case got.Code == 302 && text == "", got.Code == 403 && kind == "text/html", got.Code == 404 &&
			text == "<UnknownOperationException/>\n":
			if lines[0] != "" {
				t.Errorf("a record of a request that was not a call: %q", lines)
			}
			return
		case kind != "text/xml" || got.Code >= 500 || len(lines) != 1 || lines[0] == "":
			t.Fatalf("%d %s with %d records: %s", got.Code, kind, len(lines), text)
		}
		root := wellFormed(t, text)
		if (root == "ErrorResponse") != (got.Code >= 400) {
			t.Errorf("status %d with %s", got.Code, root)
		}
	})
}

// validHeader says whether a header can be sent over HTTP.
func validHeader(name, value string) bool {
	if name == "" || len(name)+len(value) > 1000 || strings.ContainsAny(value, "\r\n\x00") ||
		http.CanonicalHeaderKey(name) != name {
		return false
	}
	switch name {
	case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer":
		return false
	}
	for _, c := range name {
		if c <= ' ' || c > '~' || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, c) {
			return false
		}
	}
	return true
}

// wellFormed reads XML to its end and returns the name of its root.
func wellFormed(t testing.TB, text string) (root string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(text))
	depth := 0
	for {
		token, err := d.Token()
		switch {
		case errors.Is(err, io.EOF) && depth == 0 && root != "":
			return root
		case err != nil:
			t.Fatalf("%v in %q", err, text)
		}
		switch token := token.(type) {
		case xml.StartElement:
			if depth == 0 {
				root = token.Name.Local
			}
			depth++
		case xml.EndElement:
			depth--
		}
	}
}
