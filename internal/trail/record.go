package trail

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// The kinds of caller CloudTrail tells apart.
const (
	Root          = "Root"
	IAMUser       = "IAMUser"
	AssumedRole   = "AssumedRole"
	FederatedUser = "FederatedUser"
	AWSAccount    = "AWSAccount" // a caller of another account
	AWSService    = "AWSService"
	Unknown       = "Unknown" // not authenticated: no signature, or a wrong one

	// Who showed a token of an OIDC provider, or an assertion of a SAML one.
	WebIdentityUser = "WebIdentityUser"
	SAMLUser        = "SAMLUser"
)

// Values of EventType.
const (
	APICall       = "AwsApiCall"
	ConsoleSignIn = "AwsConsoleSignIn"
	ServiceEvent  = "AwsServiceEvent"
)

// Hidden stands in CloudTrail where people are known to type secrets by
// mistake, as passwords into the field of the user name.
const Hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// eventVersion is the version of CloudTrail's record this shape follows.
const eventVersion = "1.11"

// maxText is how many bytes of a text the caller chose are kept, as in
// CloudTrail.
const maxText = 1024

// Record is one event, its fields in the order they are written. Empty fields
// are left out where CloudTrail leaves them out.
type Record struct {
	UserIdentity        Identity
	EventTime           time.Time // when the request completed; written in UTC to the second
	EventSource         string    // iam.amazonaws.com, sts.amazonaws.com
	EventName           string    // the action
	AWSRegion           string    // us-east-1 for IAM, wherever it runs
	SourceIPAddress     string
	UserAgent           string
	ErrorCode           string // empty for a call that succeeded
	ErrorMessage        string
	RequestParameters   json.RawMessage // valid JSON, or nil, which is written as null; see Members
	ResponseElements    json.RawMessage // null for calls that only read
	AdditionalEventData json.RawMessage
	RequestID           string
	EventID             string // Write makes one where it is empty
	ReadOnly            bool   // see ReadOnly
	Resources           []Resource
	EventType           string // empty means AwsApiCall
	RecipientAccountID  string
	TLS                 *TLSDetails // nil for plain HTTP
	FromConsole         bool
}

// Identity says who called. ARN, account and key are those the signature
// proved; for Unknown only AccessKeyID is set, as the caller claimed it.
type Identity struct {
	Type           string
	PrincipalID    string
	ARN            string
	AccountID      string
	AccessKeyID    string
	UserName       string
	SessionContext *SessionContext // nil without a session
	InvokedBy      string
	// IdentityProvider is whose token a WebIdentityUser or SAMLUser showed.
	IdentityProvider string
}

// SessionContext describes the session of temporary credentials.
type SessionContext struct {
	Issuer           *SessionIssuer // nil for sessions of the user itself
	CreationDate     time.Time
	MFAAuthenticated bool
	SourceIdentity   string
}

// SessionIssuer is the role or user a session came from.
type SessionIssuer struct {
	Type        string // Role, User, Root
	PrincipalID string
	ARN         string
	AccountID   string
	UserName    string
}

// Resource is a thing the call touched.
type Resource struct {
	ARN       string
	AccountID string
	Type      string // AWS::IAM::User
}

// TLSDetails describes the connection.
type TLSDetails struct {
	Version     string // TLSv1.3
	CipherSuite string // TLS_AES_128_GCM_SHA256
	HostHeader  string
}

// AppendJSON appends the record as one JSON object without a line break
// anywhere in it, whatever the texts hold.
func (r *Record) AppendJSON(dst []byte) []byte {
	o := object{dst: append(dst, '{')}
	o.text("eventVersion", eventVersion)
	o.key("userIdentity")
	o.dst = r.UserIdentity.append(o.dst)
	o.time("eventTime", r.EventTime)
	o.text("eventSource", r.EventSource)
	o.text("eventName", r.EventName)
	o.text("awsRegion", r.AWSRegion)
	o.text("sourceIPAddress", r.SourceIPAddress)
	o.text("userAgent", r.UserAgent)
	o.optional("errorCode", r.ErrorCode)
	o.optional("errorMessage", recordedMessage(r.ErrorCode, r.ErrorMessage))
	o.raw("requestParameters", r.RequestParameters)
	o.raw("responseElements", r.ResponseElements)
	if r.AdditionalEventData != nil {
		o.raw("additionalEventData", r.AdditionalEventData)
	}
	o.text("requestID", r.RequestID)
	o.text("eventID", r.EventID)
	o.bool("readOnly", r.ReadOnly)
	if len(r.Resources) > 0 {
		o.key("resources")
		o.dst = appendResources(o.dst, r.Resources)
	}
	if r.EventType == "" {
		o.text("eventType", APICall)
	} else {
		o.text("eventType", r.EventType)
	}
	o.bool("managementEvent", true)
	o.text("recipientAccountId", r.RecipientAccountID)
	o.text("eventCategory", "Management")
	if r.TLS != nil {
		o.key("tlsDetails")
		t := object{dst: append(o.dst, '{')}
		t.text("tlsVersion", r.TLS.Version)
		t.text("cipherSuite", r.TLS.CipherSuite)
		t.text("clientProvidedHostHeader", r.TLS.HostHeader)
		o.dst = append(t.dst, '}')
	}
	if r.FromConsole {
		o.text("sessionCredentialFromConsole", "true") // a string in CloudTrail
	}
	return append(o.dst, '}')
}

func (i *Identity) append(dst []byte) []byte {
	o := object{dst: append(dst, '{')}
	o.text("type", i.Type)
	o.optional("principalId", i.PrincipalID)
	o.optional("arn", i.ARN)
	o.optional("accountId", i.AccountID)
	o.optional("accessKeyId", i.AccessKeyID)
	o.optional("userName", i.UserName)
	if s := i.SessionContext; s != nil {
		o.key("sessionContext")
		c := object{dst: append(o.dst, '{')}
		if s.Issuer != nil {
			c.key("sessionIssuer")
			is := object{dst: append(c.dst, '{')}
			is.text("type", s.Issuer.Type)
			is.text("principalId", s.Issuer.PrincipalID)
			is.text("arn", s.Issuer.ARN)
			is.text("accountId", s.Issuer.AccountID)
			is.text("userName", s.Issuer.UserName)
			c.dst = append(is.dst, '}')
		}
		c.key("attributes")
		a := object{dst: append(c.dst, '{')}
		a.time("creationDate", s.CreationDate)
		if s.MFAAuthenticated { // strings in CloudTrail
			a.text("mfaAuthenticated", "true")
		} else {
			a.text("mfaAuthenticated", "false")
		}
		c.dst = append(a.dst, '}')
		c.optional("sourceIdentity", s.SourceIdentity)
		o.dst = append(c.dst, '}')
	}
	o.optional("invokedBy", i.InvokedBy)
	o.optional("identityProvider", i.IdentityProvider)
	return append(o.dst, '}')
}

func appendResources(dst []byte, resources []Resource) []byte {
	dst = append(dst, '[')
	for i, r := range resources {
		if i > 0 {
			dst = append(dst, ',')
		}
		o := object{dst: append(dst, '{')}
		o.text("ARN", r.ARN) // upper case in CloudTrail, here alone
		o.optional("accountId", r.AccountID)
		o.optional("type", r.Type)
		dst = append(o.dst, '}')
	}
	return append(dst, ']')
}

// recordedMessage is the error text as the trail keeps it. IAM repeats the
// whole body in MalformedCertificate, and people upload private keys by
// mistake.
func recordedMessage(code, message string) string {
	if code == "MalformedCertificate" {
		return "Certificate " + Hidden + " is malformed."
	}
	return message
}

// object appends the members of a JSON object; dst ends with its open brace.
type object struct {
	dst  []byte
	more bool
}

// key appends a member's name, which is ours and needs no escaping.
func (o *object) key(name string) {
	if o.more {
		o.dst = append(o.dst, ',')
	}
	o.more = true
	o.dst = append(o.dst, '"')
	o.dst = append(o.dst, name...)
	o.dst = append(o.dst, '"', ':')
}

func (o *object) text(name, value string) {
	o.key(name)
	o.dst = appendString(o.dst, cut(value, maxText))
}

func (o *object) optional(name, value string) {
	if value != "" {
		o.text(name, value)
	}
}

func (o *object) bool(name string, value bool) {
	o.key(name)
	o.dst = appendBool(o.dst, value)
}

func (o *object) time(name string, t time.Time) {
	o.key(name)
	o.dst = append(o.dst, '"')
	o.dst = t.UTC().AppendFormat(o.dst, "2006-01-02T15:04:05Z")
	o.dst = append(o.dst, '"')
}

func (o *object) raw(name string, value json.RawMessage) {
	o.key(name)
	if bytes.IndexByte(value, '\n') >= 0 {
		var line bytes.Buffer
		if json.Compact(&line, value) != nil {
			line.Reset()
		}
		value = line.Bytes()
	}
	if len(value) == 0 {
		o.dst = append(o.dst, "null"...)
		return
	}
	o.dst = append(o.dst, value...)
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, "true"...)
	}
	return append(dst, "false"...)
}

// cut returns at most n bytes of s, and no half character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Control characters, also the line
// separators of JavaScript, are escaped; bytes that are no UTF-8 become U+FFFD.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c < utf8.RuneSelf-1 && c != '"' && c != '\\' {
			i++
			continue
		}
		if c < utf8.RuneSelf {
			dst = append(dst, s[start:i]...)
			switch c {
			case '"', '\\':
				dst = append(dst, '\\', c)
			case '\n':
				dst = append(dst, '\\', 'n')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			dst = append(dst, s[start:i]...)
			dst = append(dst, `\ufffd`...)
		case r >= 0x80 && r < 0xa0, r == 0x2028, r == 0x2029:
			dst = append(dst, s[start:i]...)
			dst = append(dst, '\\', 'u', hexDigits[r>>12], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			i += size
			continue
		}
		i += size
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
