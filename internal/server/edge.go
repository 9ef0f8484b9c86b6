package server

import (
	"crypto/tls"
	"io"
	"mime"
	"net/http"
	"strings"

	"rollcall/internal/awsquery"
)

// notForUs answers requests that are not calls of the API, as AWS's edge does.
// It redirects other methods and browsers to the documentation, and refuses
// other content types and paths without an AWS-shaped body.
func (s *Server) notForUs(w http.ResponseWriter, r *http.Request) bool {
	switch r.Method {
	case http.MethodPost:
		kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || kind != "application/x-www-form-urlencoded" && kind != awsquery.JSON11ContentType {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(w,
				"<html><body>403 Forbidden: the content type must be application/x-www-form-urlencoded</body></html>\n")
			return true
		}
		return false
	case http.MethodGet, http.MethodHead:
		if r.Method == http.MethodGet && hasAction(r.URL.RawQuery) {
			return false
		}
		if s.public(w, r) {
			return true
		}
		if r.Method == http.MethodGet && r.URL.Path != "/" {
			unknownPath(w)
			return true
		}
	}
	w.Header().Set("Location", s.cfg.Documentation)
	w.WriteHeader(http.StatusFound)
	return true
}

func unknownPath(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, "<UnknownOperationException/>\n")
}

// hasAction reports whether a query string is meant for the API. An unreadable
// query string is, so that the API reports the error.
func hasAction(query string) bool {
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		if name == "Action" || strings.Contains(name, "%") || strings.EqualFold(name, "X-Amz-Algorithm") {
			return true
		}
	}
	return false
}

// claim notes the access key and the service that a refused request names, for
// the trail and for the namespace of the answer. They are unverified.
func (k *call) claim(r *http.Request) {
	credential := r.URL.Query().Get("X-Amz-Credential")
	if _, after, ok := strings.Cut(r.Header.Get("Authorization"), "Credential="); ok {
		credential, _, _ = strings.Cut(after, ",")
	}
	scope := strings.Split(credential, "/")
	k.keyID = scope[0]
	if len(k.keyID) > 128 {
		k.keyID = k.keyID[:128]
	}
	if len(scope) > 3 && scope[3] == "sts" && !k.json11 {
		k.service = "sts"
	}
}

func tlsVersion(v uint16) string {
	switch v {
	case tls.VersionTLS12:
		return "TLSv1.2"
	case tls.VersionTLS13:
		return "TLSv1.3"
	}
	return tls.VersionName(v)
}

func tlsCipher(suite uint16) string { return tls.CipherSuiteName(suite) }
