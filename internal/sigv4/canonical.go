package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

var buffers = sync.Pool{New: func() any { b := make([]byte, 0, 2048); return &b }}

// maxPooled is the size of the largest buffer to keep, so that one huge query
// string does not hold memory forever.
const maxPooled = 64 << 10

// appendCanonicalRequest writes the request as the signer must have seen it,
// with exactly the headers that the claim names. SigV4, "Create a canonical
// request".
func appendCanonicalRequest(dst []byte, r *http.Request, query Query, c *claim, body []byte) []byte {
	dst = append(dst, r.Method...)
	dst = append(dst, '\n')
	dst = appendCanonicalPath(dst, r.URL)
	dst = append(dst, '\n')
	dst = appendCanonicalQuery(dst, query, c.presigned)
	dst = append(dst, '\n')
	for name := range strings.SplitSeq(c.signedHeaders, ";") {
		dst = append(dst, name...)
		dst = append(dst, ':')
		for i, value := range headerValues(r, name) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = appendTrimmed(dst, value)
		}
		dst = append(dst, '\n')
	}
	dst = append(dst, '\n')
	dst = append(dst, c.signedHeaders...)
	dst = append(dst, '\n')
	sum := sha256.Sum256(body)
	return appendHex(dst, sum[:])
}

// appendStringToSign writes the text that is signed. The time is always in
// basic form, whichever form the header had.
func appendStringToSign(dst []byte, c *claim, canonical [sha256.Size]byte) []byte {
	dst = append(dst, algorithm...)
	dst = append(dst, '\n')
	dst = c.at.AppendFormat(dst, basicTime)
	dst = append(dst, '\n')
	dst = append(dst, c.scope...)
	dst = append(dst, '\n')
	return appendHex(dst, canonical[:])
}

func appendHex(dst, b []byte) []byte { return hex.AppendEncode(dst, b) }

// appendCanonicalPath writes the path as it was sent, normalized, with each of
// its bytes encoded once more. Every service except S3 does this.
func appendCanonicalPath(dst []byte, u *url.URL) []byte {
	// These are the original bytes of the request line, if net/http kept them
	// and nobody has changed Path since then, because handlers use Path.
	sent := u.RawPath
	if decoded, err := url.PathUnescape(sent); sent == "" || err != nil || decoded != u.Path {
		sent = u.EscapedPath()
	}
	if sent == "" || sent == "/" {
		return append(dst, '/')
	}
	clean := path.Clean("/" + sent)
	dst = appendEncoded(dst, clean, '/')
	if strings.HasSuffix(sent, "/") && clean != "/" {
		dst = append(dst, '/')
	}
	return dst
}

// appendCanonicalQuery writes the parameters sorted by encoded key, then by
// encoded value.
func appendCanonicalQuery(dst []byte, query Query, presigned bool) []byte {
	if len(query) == 0 {
		return dst
	}
	encoded := make([]Param, 0, len(query))
	for _, p := range query {
		if presigned && p.Key == paramSignature {
			continue
		}
		encoded = append(encoded, Param{encode(p.Key), encode(p.Value)})
	}
	slices.SortFunc(encoded, func(a, b Param) int {
		if c := strings.Compare(a.Key, b.Key); c != 0 {
			return c
		}
		return strings.Compare(a.Value, b.Value)
	})
	for i, p := range encoded {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, p.Key...)
		dst = append(dst, '=')
		dst = append(dst, p.Value...)
	}
	return dst
}

// headerValues returns the values of a header by its lower-case name, including
// those that net/http keeps outside the header map.
func headerValues(r *http.Request, name string) []string {
	switch name {
	case "host":
		return []string{r.Host}
	case "x-amz-date": // in every request: avoids the conversion of its name
		return r.Header["X-Amz-Date"]
	}
	if values := r.Header.Values(name); len(values) > 0 {
		return values
	}
	switch name {
	case "content-length":
		if r.ContentLength >= 0 {
			return []string{strconv.FormatInt(r.ContentLength, 10)}
		}
	case "transfer-encoding":
		return r.TransferEncoding
	}
	return nil
}

// appendTrimmed writes a header value without the spaces around it, and with
// each run of spaces replaced by one.
func appendTrimmed(dst []byte, value string) []byte {
	value = strings.Trim(value, " \t")
	if !strings.Contains(value, "  ") {
		return append(dst, value...)
	}
	for i := range len(value) {
		if value[i] == ' ' && value[i-1] == ' ' { // i > 0: value was trimmed
			continue
		}
		dst = append(dst, value[i])
	}
	return dst
}

// encode implements SigV4's UriEncode: it writes every byte except the
// unreserved ones of RFC 3986 as %XX, in upper case.
func encode(s string) string {
	for i := range len(s) {
		if !unreserved(s[i]) {
			return string(appendEncoded(make([]byte, 0, len(s)+16), s, 0))
		}
	}
	return s
}

// appendEncoded encodes s, leaving the byte keep as it is (0: none).
func appendEncoded(dst []byte, s string, keep byte) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if unreserved(c) || keep != 0 && c == keep {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

func unreserved(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '-' || c == '_' || c == '.' || c == '~'
}
