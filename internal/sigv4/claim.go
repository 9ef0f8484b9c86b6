package sigv4

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/textproto"
	"strings"
	"time"

	"rollcall/internal/awsmodel"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	terminator = "aws4_request"

	paramAlgorithm     = "X-Amz-Algorithm"
	paramCredential    = "X-Amz-Credential"
	paramSignature     = "X-Amz-Signature"
	paramSignedHeaders = "X-Amz-SignedHeaders"
	paramDate          = "X-Amz-Date"
	paramExpires       = "X-Amz-Expires"
	paramToken         = "X-Amz-Security-Token"
)

// authParams are the query parameters that carry authentication.
var authParams = [...]string{
	paramAlgorithm, paramCredential, paramSignature, paramSignedHeaders, paramDate, paramExpires, paramToken,
}

// claim holds the request's statements about its signature. They are unverified
// until the signature is compared.
type claim struct {
	presigned     bool
	credential    string // as sent: keyid/date/region/service/term
	signedHeaders string // as sent: lower-case names joined by ';'
	signature     string // hex
	timestamp     string // as sent
	token         string
	expires       string // X-Amz-Expires, as sent; empty if absent

	// Known after checkTime and checkScope.
	at                           time.Time
	keyID, date, region, service string
	scope                        string // date/region/service/term
}

// readClaim finds the one place that authenticates the request and splits it:
// checks 5 to 7.
func readClaim(r *http.Request, query Query) (*claim, error) {
	headers := r.Header["Authorization"]
	_, inQuery := query.get(paramAlgorithm)
	switch {
	case len(headers) == 0 && !inQuery: // 5
		return nil, awsmodel.Fail("MissingAuthenticationToken", "Request is missing Authentication Token")
	case len(headers) > 0 && hasAuthParam(query): // 5b, for any parameter of the presigned form and in any case
		return nil, &awsmodel.Error{Code: "SignatureDoesNotMatch"}
	case inQuery:
		return readQueryClaim(r.Header, query)
	case len(headers) > 1:
		return nil, duplicate("Authorization")
	}
	return readHeaderClaim(r.Header, headers[0])
}

func hasAuthParam(query Query) bool {
	for _, p := range query {
		for _, name := range authParams {
			if strings.EqualFold(p.Key, name) {
				return true
			}
		}
	}
	return false
}

// duplicate returns the error for a value that was given twice. AWS takes the
// last of two elements of an Authorization header and the first of two query
// parameters (recorded, 6c and 7c). We take neither: whichever we chose, a
// proxy before us or a service behind us might choose the other
// (CVE-2022-2385). The text is ours (G).
func duplicate(name string) error {
	return awsmodel.Fail("SignatureDoesNotMatch", "'%s' must be given exactly once.", name)
}

// readHeaderClaim reads the Authorization header: checks 6a to 6d.
func readHeaderClaim(h http.Header, authorization string) (*claim, error) {
	var c claim
	elements, err := parseAuthorization(authorization)
	if err != nil {
		return nil, err
	}
	if err := checkDuplicateHeaders(h); err != nil {
		return nil, err
	}
	c.credential, c.signature, c.signedHeaders = elements.credential, elements.signature, elements.signedHeaders

	var missing []string
	for _, e := range []struct {
		name string
		has  bool
	}{
		{"Credential", elements.hasCredential},
		{"Signature", elements.hasSignature},
		{"SignedHeaders", elements.hasSignedHeaders},
	} {
		if !e.has {
			missing = append(missing, "Authorization header requires '"+e.name+"' parameter.")
		}
	}
	switch {
	case len(h["X-Amz-Date"]) > 0:
		c.timestamp = h["X-Amz-Date"][0]
	case len(h["Date"]) > 0:
		c.timestamp = h["Date"][0]
	default:
		missing = append(missing,
			"Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	if len(missing) > 0 { // 6d, the newer form: the header's hash, not the header
		sum := sha256.Sum256([]byte(authorization))
		return nil, awsmodel.Fail("IncompleteSignature",
			"%s (Hashed with SHA-256 and encoded with Base64) Authorization=%s",
			strings.Join(missing, " "), base64.StdEncoding.EncodeToString(sum[:]))
	}
	if tokens := h[paramToken]; len(tokens) > 0 {
		c.token = tokens[0]
	}
	return &c, nil
}

// authElements holds the elements of an Authorization header. An element may be
// present and empty.
type authElements struct {
	credential, signedHeaders, signature          string
	hasCredential, hasSignedHeaders, hasSignature bool
}

// parseAuthorization reads "AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…,
// Signature=…": checks 6a to 6c. It ignores elements with other names, as AWS
// does.
func parseAuthorization(header string) (authElements, error) {
	var e authElements
	scheme, rest, _ := strings.Cut(strings.Trim(header, " \t"), " ")
	if scheme != algorithm { // 6a
		return e, awsmodel.Fail("IncompleteSignature", "Unsupported AWS 'algorithm': '%s'.", clip(scheme))
	}
	rest = strings.Trim(rest, " \t")
	if rest == "" {
		return e, nil
	}
	for element := range strings.SplitSeq(rest, ",") {
		element = strings.Trim(element, " \t")
		key, value, ok := strings.Cut(element, "=")
		if !ok { // 6b
			return e, awsmodel.Fail("IncompleteSignature",
				"'%s' not a valid key=value pair (missing equal-sign) in Authorization header: '%s'", clip(element),
				clip(header))
		}
		var field *string
		var seen *bool
		switch key {
		case "Credential":
			field, seen = &e.credential, &e.hasCredential
		case "SignedHeaders":
			field, seen = &e.signedHeaders, &e.hasSignedHeaders
		case "Signature":
			field, seen = &e.signature, &e.hasSignature
		default:
			continue
		}
		if *seen { // 6c; see duplicate
			return e, duplicate(key)
		}
		*field, *seen = value, true
	}
	return e, nil
}

// clip limits the part of a request that an error repeats.
func clip(s string) string {
	const most = 512
	if len(s) <= most {
		return s
	}
	return s[:most] + "..."
}

// readQueryClaim reads the parameters of a presigned URL: checks 7a to 7d.
func readQueryClaim(h http.Header, query Query) (*claim, error) {
	c := claim{presigned: true}
	if a, _ := query.get(paramAlgorithm); a != algorithm { // 7a
		return nil, awsmodel.Fail("MissingAuthenticationToken", "Missing Authentication Token")
	}
	if err := checkDuplicateParams(h, query); err != nil { // 7c
		return nil, err
	}
	if err := checkDuplicateHeaders(h); err != nil {
		return nil, err
	}
	var missing strings.Builder
	for _, p := range []struct {
		name  string
		field *string
	}{
		{paramCredential, &c.credential},
		{paramSignature, &c.signature},
		{paramSignedHeaders, &c.signedHeaders},
		{paramDate, &c.timestamp},
	} {
		var ok bool
		if *p.field, ok = query.get(p.name); !ok {
			missing.WriteString("AWS query-string parameters must include '" + p.name + "'. ")
		}
	}
	if missing.Len() > 0 { // 7d
		return nil, awsmodel.Fail("IncompleteSignature", "%sRe-examine the query-string parameters.", missing.String())
	}
	c.expires, _ = query.get(paramExpires)
	c.token, _ = query.get(paramToken)
	return &c, nil
}

// checkDuplicateParams returns an error if an X-Amz-* parameter occurs twice,
// in any case, or once in the query and once as a header.
func checkDuplicateParams(h http.Header, query Query) error {
	var seen map[string]bool
	for _, p := range query {
		if !isAmz(p.Key) {
			continue
		}
		name := strings.ToLower(p.Key)
		if seen[name] || len(h.Values(p.Key)) > 0 {
			return duplicate(p.Key)
		}
		if seen == nil {
			seen = make(map[string]bool, 8)
		}
		seen[name] = true
	}
	return nil
}

// checkDuplicateHeaders returns an error if there is a second Date or X-Amz-*
// header.
func checkDuplicateHeaders(h http.Header) error {
	found := ""
	for name, values := range h {
		if name != "Date" && !isAmz(name) {
			continue
		}
		// Get does not find a name that is not in net/http's own form.
		if len(values) != 1 || name != textproto.CanonicalMIMEHeaderKey(name) {
			if found == "" || name < found { // the same answer for any order of the map
				found = name
			}
		}
	}
	if found != "" {
		return duplicate(found)
	}
	return nil
}

// isAmz reports whether a header or parameter is one of AWS's, in any case.
func isAmz(name string) bool {
	const prefix = "x-amz-"
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}
