package trail

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"
)

// The kinds of caller in CloudTrail.
const (
	Root          = "Root"
	IAMUser       = "IAMUser"
	AssumedRole   = "AssumedRole"
	FederatedUser = "FederatedUser"
	AWSAccount    = "AWSAccount" // a caller of another account
	AWSService    = "AWSService"
	Unknown       = "Unknown" // not authenticated: no signature, or a wrong one

	// Operator is a user of the system who runs a command on an installation.
	// CloudTrail has no such kind.
	Operator = "RollcallOperator"

	// WebIdentityUser is a caller with a token of an OIDC provider, and
	// SAMLUser one with an assertion of a SAML provider.
	WebIdentityUser = "WebIdentityUser"
	SAMLUser        = "SAMLUser"
)

// Values of EventType.
const (
	APICall       = "AwsApiCall"
	ConsoleSignIn = "AwsConsoleSignIn"
	ServiceEvent  = "AwsServiceEvent"
	// OperatorAct is CloudTrail's word for an act that is not a call of an API.
	OperatorAct = "AwsConsoleAction"
)

// Hidden is CloudTrail's text for fields in which people often type secrets by
// mistake, such as passwords in the field of the user name.
const Hidden = "HIDDEN_DUE_TO_SECURITY_REASONS"

// eventVersion is the version of CloudTrail's record that this form follows.
const eventVersion = "1.11"

// Limits of a record. All apply to the written form, after escaping: an invalid
// byte becomes six.
const (
	// maxText is the number of bytes that are kept of a text that the caller
	// chose, as in CloudTrail.
	maxText = 1024
	// maxRecord limits a record. Members limits its parameters and elements, so
	// only a record from elsewhere can be too large.
	maxRecord = 192 << 10
	// maxStranger limits the record of a Stranger, including its line break. The
	// link comes on top.
	maxStranger = 2<<10 - maxPlainLink
)

// Record is one event, with its fields in their written order. Empty fields are
// omitted as in CloudTrail.
type Record struct {
	UserIdentity        Identity
	EventTime           time.Time // when the request completed; written in UTC to the second
	EventSource         string    // iam.amazonaws.com, sts.amazonaws.com
	EventName           string    // the action
	AWSRegion           string    // us-east-1 for IAM, wherever it runs
	SourceIPAddress     string
	UserAgent           string
	ErrorCode           string // the name of the exception; empty for a successful call
	ErrorMessage        string
	RequestParameters   json.RawMessage // valid JSON, or nil, which is written as null; see Members
	ResponseElements    json.RawMessage // null for calls that only read
	AdditionalEventData json.RawMessage
	RequestID           string
	EventID             string // Write creates one if it is empty
	ReadOnly            bool   // no stored data changes
	Resources           []Resource
	EventType           string // empty means AwsApiCall
	RecipientAccountID  string
	TLS                 *TLSDetails // nil for plain HTTP
	FromConsole         bool
	// Line, if it is set, is the whole record in the form of AppendJSON.
	Line []byte
	// Stranger says that the call was refused, and that nobody was authenticated
	// or the caller exceeded its rate. It is not written. Such a record has at most 2 KiB, and Write omits those
	// of a flood; see Budget.
	Stranger bool
}

// Identity is the caller. ARN, account and key were proved by the signature.
// For Unknown only AccessKeyID is set, unverified.
type Identity struct {
	Type           string
	PrincipalID    string
	ARN            string
	AccountID      string
	AccessKeyID    string
	NoKey          bool // accessKeyId is written, and empty
	UserName       string
	SessionContext *SessionContext // nil without a session
	InvokedBy      string
	// IdentityProvider is the provider of a WebIdentityUser's or SAMLUser's
	// token.
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

// Resource is a thing that the call affected.
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

// omitted replaces parameters that are too large for the record.
var omitted = json.RawMessage(`{"omitted":true}`)

// AppendJSON appends the record as one JSON object without a line break,
// whatever its texts contain. Its size is limited: texts are cut, and
// parameters that are too large become {"omitted":true}.
func (r *Record) AppendJSON(dst []byte) []byte {
	if r.Line != nil {
		return append(dst, r.Line...)
	}
	most, texts := maxRecord, []int{maxText}
	if r.Stranger {
		most, texts = maxStranger-1, []int{maxText, 256, 64}
	}
	whole := *r
	start := len(dst)
	for _, text := range texts {
		if dst = whole.append(dst[:start], text); len(dst)-start <= most {
			return dst
		}
		whole.omit()
		if dst = whole.append(dst[:start], text); len(dst)-start <= most {
			return dst
		}
	}
	return dst
}

// omit drops the parts without their own limit.
func (r *Record) omit() {
	for _, part := range []*json.RawMessage{&r.RequestParameters, &r.ResponseElements, &r.AdditionalEventData} {
		if len(*part) > len(omitted) {
			*part = omitted
		}
	}
	r.Resources = nil
}

// append appends the record. It keeps at most text bytes of each text.
func (r *Record) append(dst []byte, text int) []byte {
	o := object{dst: append(dst, '{'), most: text}
	o.text("eventVersion", eventVersion)
	o.key("userIdentity")
	o.dst = r.UserIdentity.append(o.dst, text)
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
	if r.RequestID != "" || r.EventType != ConsoleSignIn {
		o.text("requestID", r.RequestID)
	}
	o.text("eventID", r.EventID)
	o.bool("readOnly", r.ReadOnly)
	if len(r.Resources) > 0 {
		o.key("resources")
		o.dst = appendResources(o.dst, r.Resources, text)
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
		t := object{dst: append(o.dst, '{'), most: text}
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

func (i *Identity) append(dst []byte, text int) []byte {
	o := object{dst: append(dst, '{'), most: text}
	o.text("type", i.Type)
	o.optional("principalId", i.PrincipalID)
	o.optional("arn", i.ARN)
	o.optional("accountId", i.AccountID)
	if i.NoKey {
		o.text("accessKeyId", "")
	}
	o.optional("accessKeyId", i.AccessKeyID)
	o.optional("userName", i.UserName)
	if s := i.SessionContext; s != nil {
		o.key("sessionContext")
		c := object{dst: append(o.dst, '{'), most: text}
		if s.Issuer != nil {
			c.key("sessionIssuer")
			is := object{dst: append(c.dst, '{'), most: text}
			is.text("type", s.Issuer.Type)
			is.text("principalId", s.Issuer.PrincipalID)
			is.text("arn", s.Issuer.ARN)
			is.text("accountId", s.Issuer.AccountID)
			is.text("userName", s.Issuer.UserName)
			c.dst = append(is.dst, '}')
		}
		c.key("attributes")
		a := object{dst: append(c.dst, '{'), most: text}
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

func appendResources(dst []byte, resources []Resource, text int) []byte {
	dst = append(dst, '[')
	for i, r := range resources {
		if i > 0 {
			dst = append(dst, ',')
		}
		o := object{dst: append(dst, '{'), most: text}
		o.text("ARN", r.ARN) // upper case in CloudTrail, only here
		o.optional("accountId", r.AccountID)
		o.optional("type", r.Type)
		dst = append(o.dst, '}')
	}
	return append(dst, ']')
}

// recordedMessage returns the error text for the trail. IAM repeats the whole
// body in this error, and people upload private keys by mistake.
func recordedMessage(code, message string) string {
	if code == "MalformedCertificateException" {
		return "Certificate " + Hidden + " is malformed."
	}
	return message
}

// object appends the members of a JSON object; dst ends with its open brace.
type object struct {
	dst  []byte
	most int // maximum bytes of a text
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
	o.dst = appendString(o.dst, value, o.most)
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

const hexDigits = "0123456789abcdef"

// appendString appends the beginning of s as a JSON string. The text between
// the quotes has at most most bytes, and no half character. Control characters
// and the line separators of JavaScript are escaped. Invalid bytes become
// U+FFFD.
func appendString(dst []byte, s string, most int) []byte {
	dst = append(dst, '"')
	start := 0 // start of the text that has not been appended yet
	for i := 0; i < len(s); {
		if b := s[i]; b >= 0x20 && b < 0x7f && b != '"' && b != '\\' && most > 0 {
			most--
			i++
			continue
		}
		size, escape := 1, 0
		c := rune(s[i])
		if c >= utf8.RuneSelf {
			c, size = utf8.DecodeRuneInString(s[i:])
		}
		switch {
		case c == '"', c == '\\', c == '\n':
			escape = 2
		case c < 0x20, c >= 0x7f && c < 0xa0, c == 0x2028, c == 0x2029, c == utf8.RuneError && size == 1:
			escape = 6
		}
		if most -= max(size, escape); most < 0 {
			s = s[:i]
			break
		}
		if escape > 0 {
			dst = append(dst, s[start:i]...)
			dst = appendEscape(dst, c, escape)
			start = i + size
		}
		i += size
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// appendEscape appends a character as JSON's escape of 2 or 6 bytes.
func appendEscape(dst []byte, c rune, size int) []byte {
	switch {
	case size == 6:
		return append(dst, '\\', 'u', hexDigits[c>>12&15], hexDigits[c>>8&15], hexDigits[c>>4&15], hexDigits[c&15])
	case c == '\n':
		c = 'n'
	}
	return append(dst, '\\', byte(c))
}
