package trail

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// recorded names the members of inputs and outputs that the trail keeps, at any
// depth. All others are omitted, so that a new member of a later SDK, or a
// forgotten secret, never gets into the trail. Besides passwords, secrets,
// seeds, codes and report content, it deliberately omits the bodies of
// certificates and public keys, because people paste private ones.
var recorded = func() map[string]bool {
	set := map[string]bool{}
	for _, name := range strings.Fields(`
		UserName NewUserName Path NewPath PathPrefix Tags TagKeys Key Value
		PermissionsBoundary PermissionsBoundaryArn PermissionsBoundaryType
		Marker MaxItems AccessKeyId Status PasswordResetRequired
		AllowUsersToChangePassword HardExpiry MaxPasswordAge
		MinimumPasswordLength PasswordReusePrevention ExpirePasswords
		RequireLowercaseCharacters RequireNumbers RequireSymbols
		RequireUppercaseCharacters
		VirtualMFADeviceName SerialNumber AssignmentStatus
		CertificateId SSHPublicKeyId Encoding
		ServiceName CredentialAgeDays AllUsers ServiceSpecificCredentialId
		AccountAlias

		User UserId Arn CreateDate PasswordLastUsed LoginProfile AccessKey
		VirtualMFADevice EnableDate Certificate UploadDate SSHPublicKey
		Fingerprint ServiceSpecificCredential ServiceUserName
		ServiceCredentialAlias ExpirationDate State Description

		GroupName NewGroupName Group GroupId PolicyName PolicyArn PolicyDocument
		VersionId SetAsDefault Scope OnlyAttached PolicyUsageFilter EntityFilter
		Filter Policy PolicyId DefaultVersionId AttachmentCount IsAttachable
		PermissionsBoundaryUsageCount UpdateDate PolicyVersion IsDefaultVersion
		Document

		RoleName AssumeRolePolicyDocument PolicyDocument MaxSessionDuration
		Role RoleId RoleLastUsed LastUsedDate Region SourceRoleTemplate
		TemplateArn TemplateMinorVersion
		InstanceProfileName InstanceProfile InstanceProfileId Roles
		AWSServiceName CustomSuffix DeletionTaskId
		RoleArn RoleSessionName DurationSeconds PolicyArns Policy
		SourceIdentity TransitiveTagKeys MinimumSessionTokenSize Credentials Expiration
		Name FederatedUser FederatedUserId SubjectFromWebIdentityToken
		SigningAlgorithm IssuerIdentifier
		Audience Provider Issuer NameQualifier Subject SubjectType
		AssumedRoleUser AssumedRoleId PackedPolicySize SessionTokenSize
		SessionTokenUtilization
		OpenIDConnectProviderArn Url ClientIDList ClientID ThumbprintList
		SAMLProviderArn Name AssertionEncryptionMode RemovePrivateKey
		ServerCertificateName NewServerCertificateName
		ServerCertificateMetadata ServerCertificateId Expiration
		OrganizationId EnabledFeatures GlobalEndpointTokenVersion
		Properties
		JobId Granularity ServiceNamespace ServiceNamespaces
		PolicySourceArn PolicyInputList PermissionsBoundaryPolicyInputList
		ActionNames ResourceArns ResourcePolicy ResourceOwner CallerArn
		ContextEntries ContextKeyName ContextKeyValues ContextKeyType
		ResourceHandlingOption OrderedOrganizationPolicyInputList
		ServiceControlPolicyInputList`) {
		set[name] = true
	}
	return set
}()

// MayRecord reports whether the trail keeps a member of the input and output of
// every action. The member has its name in AWS's model.
func MayRecord(member string) bool { return recorded[member] }

// Members turns the SDK's input and output structs into requestParameters and
// responseElements. It plans each type once. It is safe for concurrent use.
type Members struct {
	may   func(action, member string) bool
	plans sync.Map // reflect.Type → *structPlan
}

// NewMembers returns a Members that keeps the members for which may returns
// true.
func NewMembers(may func(action, member string) bool) *Members {
	return &Members{may: may}
}

// Request returns the requestParameters for in, a pointer to an SDK input
// struct such as *iam.CreateUserInput. It returns nil, which is written as
// null, if no member is set. Bytes are never recorded. Texts are cut after 8
// KiB, in their written form. Beyond 64 KiB further members are omitted, and
// "truncated": true says so.
func (m *Members) Request(in any) json.RawMessage { return m.object(in, "Input") }

// Response returns the responseElements for out, the output of an action that
// is not ReadOnly. Dates have CloudTrail's form: "Nov 23, 2026 2:20:00 PM", in
// UTC.
func (m *Members) Response(out any) json.RawMessage { return m.object(out, "Output") }

// emptyEnum is awsmodel's EmptyEnum, an enumerated member that is present and
// empty.
const emptyEnum = "\x00"

const (
	maxMember  = 8 << 10
	maxMembers = 64 << 10
	cloudTime  = "Jan 2, 2006 3:04:05 PM"
)

func (m *Members) object(v any, suffix string) json.RawMessage {
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return nil
	}
	s := p.Elem()
	plan := m.plan(s.Type(), suffix)
	if len(plan.fields) == 0 {
		return nil
	}
	w := memberWriter{dst: make([]byte, 0, 128)}
	w.structure(plan, s)
	if w.truncated {
		w.dst = append(w.dst[:len(w.dst)-1], `,"truncated":true}`...)
	}
	if len(w.dst) == len("{}") {
		return nil
	}
	return w.dst
}

func (m *Members) plan(t reflect.Type, suffix string) *structPlan {
	if p, ok := m.plans.Load(t); ok {
		return p.(*structPlan)
	}
	action := strings.TrimSuffix(t.Name(), suffix)
	p, _ := m.plans.LoadOrStore(t, m.makePlan(action, t, 0))
	return p.(*structPlan)
}

// structPlan says which fields of a struct are written, and how.
type structPlan struct {
	fields []fieldPlan
}

type fieldPlan struct {
	index int
	key   string // `"userName":`
	value valueWriter
}

type valueWriter func(w *memberWriter, v reflect.Value)

// maxDepth ends recursive types. None of the recorded ones is recursive.
const maxDepth = 8

func (m *Members) makePlan(action string, t reflect.Type, depth int) *structPlan {
	p := &structPlan{}
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || !m.may(action, f.Name) {
			continue
		}
		if value := m.valueWriter(action, f.Type, depth); value != nil {
			p.fields = append(p.fields, fieldPlan{i, `"` + lowerFirst(f.Name) + `":`, value})
		}
	}
	return p
}

// lowerFirst returns CloudTrail's spelling: sSHPublicKeyId.
func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }

var (
	timeType  = reflect.TypeFor[time.Time]()
	textsType = reflect.TypeFor[map[string]string]()
)

// valueWriter returns nil for types that are never recorded, such as bytes and
// maps of anything except texts.
func (m *Members) valueWriter(action string, t reflect.Type, depth int) valueWriter {
	if depth > maxDepth {
		return nil
	}
	switch {
	case t == timeType:
		return func(w *memberWriter, v reflect.Value) {
			w.dst = append(w.dst, '"')
			w.dst = v.Interface().(time.Time).UTC().AppendFormat(w.dst, cloudTime)
			w.dst = append(w.dst, '"')
		}
	case t.Kind() == reflect.String:
		return func(w *memberWriter, v reflect.Value) {
			text := v.String()
			if text == emptyEnum {
				text = ""
			}
			w.dst = appendString(w.dst, text, maxMember)
		}
	case t.Kind() == reflect.Bool:
		return func(w *memberWriter, v reflect.Value) { w.dst = appendBool(w.dst, v.Bool()) }
	case t.Kind() == reflect.Int32 || t.Kind() == reflect.Int64:
		return func(w *memberWriter, v reflect.Value) { w.dst = strconv.AppendInt(w.dst, v.Int(), 10) }
	case t.Kind() == reflect.Pointer:
		elem := m.valueWriter(action, t.Elem(), depth)
		if elem == nil {
			return nil
		}
		return func(w *memberWriter, v reflect.Value) { elem(w, v.Elem()) }
	case t.Kind() == reflect.Slice:
		elem := m.valueWriter(action, t.Elem(), depth+1)
		if elem == nil {
			return nil
		}
		return func(w *memberWriter, v reflect.Value) { w.list(elem, v) }
	case t == textsType:
		return func(w *memberWriter, v reflect.Value) { w.texts(v.Interface().(map[string]string)) }
	case t.Kind() == reflect.Struct:
		plan := m.makePlan(action, t, depth+1)
		if len(plan.fields) == 0 {
			return nil
		}
		return func(w *memberWriter, v reflect.Value) { w.structure(plan, v) }
	}
	return nil
}

type memberWriter struct {
	dst       []byte
	truncated bool
}

func (w *memberWriter) full() bool {
	w.truncated = w.truncated || len(w.dst) > maxMembers
	return w.truncated
}

func (w *memberWriter) structure(p *structPlan, s reflect.Value) {
	w.dst = append(w.dst, '{')
	first := true
	for i := range p.fields {
		f := &p.fields[i]
		v := s.Field(f.index)
		if isAbsent(v) {
			continue
		}
		if w.full() {
			break
		}
		if !first {
			w.dst = append(w.dst, ',')
		}
		first = false
		w.dst = append(w.dst, f.key...)
		f.value(w, v)
	}
	w.dst = append(w.dst, '}')
}

func (w *memberWriter) list(elem valueWriter, v reflect.Value) {
	w.dst = append(w.dst, '[')
	for i := range v.Len() {
		if w.full() {
			break
		}
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		if e := v.Index(i); e.Kind() == reflect.Pointer && e.IsNil() {
			w.dst = append(w.dst, "null"...)
		} else {
			elem(w, e)
		}
	}
	w.dst = append(w.dst, ']')
}

// texts writes a map in the order of its keys.
func (w *memberWriter) texts(m map[string]string) {
	w.dst = append(w.dst, '{')
	for i, key := range slices.Sorted(maps.Keys(m)) {
		if w.full() {
			break
		}
		if i > 0 {
			w.dst = append(w.dst, ',')
		}
		w.dst = append(appendString(w.dst, key, maxMember), ':')
		w.dst = appendString(w.dst, m[key], maxMember)
	}
	w.dst = append(w.dst, '}')
}

// isAbsent reports a member that was not sent: a nil pointer or list, or an
// enum without a value.
func isAbsent(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsNil()
	case reflect.String:
		return v.Len() == 0
	}
	return false
}
