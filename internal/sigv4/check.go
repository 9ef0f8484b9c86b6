package sigv4

import (
	"crypto/sha256"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/awsmodel"
)

const (
	basicTime    = "20060102T150405Z"
	extendedTime = "2006-01-02T15:04:05Z"
	basicDate    = "20060102"
)

// checkSignedHeaders checks that the host and every header that AWS reads are
// signed. This is check 8, and the most important rule of this package: no
// X-Amz-* header may be unsigned (CVE-2026-54330 and similar).
func (c *claim) checkSignedHeaders(r *http.Request) error {
	names := strings.Split(c.signedHeaders, ";")
	if !slices.Contains(names, "host") { // 8
		return awsmodel.Fail("SignatureDoesNotMatch",
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for i, name := range names {
		// SigV4 writes them in lower case, sorted, each once. Any other form has
		// two meanings.
		if name != strings.ToLower(name) || i > 0 && names[i-1] >= name {
			return awsmodel.Fail("SignatureDoesNotMatch",
				"SignedHeaders must be lower case, sorted and without duplicates, got '%s'.", clip(c.signedHeaders))
		}
		switch values := headerValues(r, name); len(values) {
		case 0: // signed, and then lost
			return awsmodel.Fail("SignatureDoesNotMatch", "%s", textMismatch)
		case 1:
		default:
			return duplicate(name)
		}
	}
	// HTTP/2 may have a Host header next to :authority.
	if hosts := r.Header["Host"]; len(hosts) > 1 || len(hosts) == 1 && hosts[0] != r.Host {
		return duplicate("Host")
	}
	unsigned := ""
	for header := range r.Header {
		if !isAmz(header) {
			continue
		}
		if _, ok := slices.BinarySearch(names, strings.ToLower(header)); !ok && (unsigned == "" || header < unsigned) {
			unsigned = header
		}
	}
	if unsigned != "" { // the text follows that of check 8 (G)
		return awsmodel.Fail("SignatureDoesNotMatch", "'%s' must be a 'SignedHeader' in the AWS Authorization.",
			unsigned)
	}
	return nil
}

// checkTime reads the time of signing and compares it with the clock: checks 9
// to 11. Time counts in whole seconds, as the texts show it, and both edges are
// inside: a request signed exactly 15 minutes ago or ahead is accepted.
func (c *claim) checkTime(now time.Time) error {
	at, ok := parseTime(c.timestamp)
	if !ok { // 9
		return awsmodel.Fail("IncompleteSignature",
			"Date must be in ISO-8601 'basic format'. Got '%s'. See http://en.wikipedia.org/wiki/ISO_8601",
			clip(c.timestamp))
	}
	c.at = at
	life, lifeText, err := c.lifetime()
	if err != nil {
		return err
	}
	now = now.UTC().Truncate(time.Second)
	if earliest := now.Add(-life); at.Before(earliest) { // 10
		return awsmodel.Fail("SignatureDoesNotMatch", "Signature expired: %s is now earlier than %s (%s - %s)",
			at.Format(basicTime), earliest.Format(basicTime), now.Format(basicTime), lifeText)
	}
	if latest := now.Add(window); at.After(latest) { // 11
		return awsmodel.Fail("SignatureDoesNotMatch",
			"Signature not yet current: %s is still later than %s (%s + 15 min.)",
			at.Format(basicTime), latest.Format(basicTime), now.Format(basicTime))
	}
	return nil
}

// lifetime returns how long after its signing a request is valid: 15 minutes,
// for a presigned URL too, however large its X-Amz-Expires.
//
// A smaller X-Amz-Expires applies, except for STS, which was observed to ignore
// it: presigned GetCallerIdentity URLs, the tokens of EKS and Vault, say 60
// seconds and are used for minutes. The text for smaller values is ours (G).
func (c *claim) lifetime() (time.Duration, string, error) {
	const text = "15 min."
	if !c.presigned || c.expires == "" {
		return window, text, nil
	}
	if parts := strings.Split(c.credential, "/"); len(parts) == 5 && parts[3] == "sts" {
		return window, text, nil
	}
	seconds, err := strconv.ParseUint(c.expires, 10, 31)
	if err != nil {
		return 0, "", awsmodel.Fail("IncompleteSignature", "X-Amz-Expires should be a number of seconds, got '%s'.",
			clip(c.expires))
	}
	if life := time.Duration(seconds) * time.Second; life < window {
		return life, strconv.FormatUint(seconds, 10) + " sec.", nil
	}
	return window, text, nil
}

// parseTime reads ISO 8601 in basic form, or in the extended form that AWS
// tolerates in the header.
func parseTime(s string) (time.Time, bool) {
	layout := basicTime
	if len(s) == len(extendedTime) {
		layout = extendedTime
	}
	if len(s) != len(layout) { // time.Parse would take fractions of a second
		return time.Time{}, false
	}
	t, err := time.Parse(layout, s)
	return t, err == nil
}

// checkScope splits the credential and compares its scope with the service's:
// checks 12 and 13.
func (c *claim) checkScope(services, regions []string) error {
	parts := strings.Split(c.credential, "/")
	if len(parts) != 5 { // 12
		return awsmodel.Fail("IncompleteSignature",
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '%s'",
			clip(c.credential))
	}
	c.keyID, c.date, c.region, c.service = parts[0], parts[1], parts[2], parts[3]
	c.scope = c.credential[len(c.keyID)+1:]

	var wrong []string // 13
	switch {
	case c.region == "":
		// The SDK for Go and botocore sign in this way if they have an endpoint
		// but no region. The text is ours (G).
		wrong = append(wrong, "Credential should be scoped to a valid region, but it has no region. "+
			"Set AWS_DEFAULT_REGION and AWS_REGION, or 'region' in the profile.")
	case !plausibleRegion(c.region), len(regions) > 0 && !slices.Contains(regions, c.region):
		wrong = append(wrong, "Credential should be scoped to a valid region, not '"+clip(c.region)+"'.")
	}
	if !slices.Contains(services, c.service) {
		service := ""
		if len(services) > 0 {
			service = services[0]
		}
		wrong = append(wrong, "Credential should be scoped to correct service: '"+service+"'.")
	}
	if parts[4] != terminator {
		wrong = append(wrong, "Credential should be scoped with a valid terminator: 'aws4_request', not '"+
			clip(parts[4])+"'.")
	}
	if day := c.at.Format(basicDate); c.date != day {
		wrong = append(wrong,
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+
				clip(c.date)+"' != '"+day+"', from '"+c.at.Format(basicTime)+"'.")
	}
	switch {
	case len(wrong) == 0:
		return nil
	case len(wrong) == 1 && strings.HasPrefix(wrong[0], "Credential should be scoped to a valid region, not"):
		wrong[0] += " " // recorded: only the sentence about the region keeps its space
	}
	return awsmodel.Fail("SignatureDoesNotMatch", "%s", strings.Join(wrong, " "))
}

// plausibleRegion says whether a text may be a region. Clients sign with any
// name they are configured for ("local", "aws-global"). The name appears in
// audit records and conditions, so it may only have the characters of a host
// name.
func plausibleRegion(s string) bool {
	for i := range len(s) {
		if c := s[i]; !unreserved(c) || c == '~' {
			return false
		}
	}
	return len(s) <= 64
}

// payloadDeclared reports whether X-Amz-Content-SHA256, if it is present, is
// the hash of the body. UNSIGNED-PAYLOAD and the streaming forms are not
// accepted: they would leave the parameters of a POST unsigned.
func payloadDeclared(h http.Header, body []byte) bool {
	declared := h["X-Amz-Content-Sha256"]
	if len(declared) == 0 {
		return true
	}
	sum := sha256.Sum256(body)
	return declared[0] == string(appendHex(nil, sum[:]))
}
