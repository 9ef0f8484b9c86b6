package audit

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"

	"rollcall/report"
)

// Scope says what a custom control judges: each row of a user, each credential
// of a kind, or the whole account.
type Scope string

// The scopes.
const (
	ScopeUser        Scope = "user"
	ScopeAccessKey   Scope = "access_key"
	ScopePassword    Scope = "password"
	ScopeCertificate Scope = "certificate"
	ScopeAccount     Scope = "account"
)

// Scopes returns all scopes.
func Scopes() []Scope {
	return []Scope{ScopeUser, ScopeAccessKey, ScopePassword, ScopeCertificate, ScopeAccount}
}

// scopeVariables are the objects that the expressions of a scope may read.
var scopeVariables = map[Scope][]string{
	ScopeUser:        {"user", "password", "account"},
	ScopeAccessKey:   {"key", "user", "password", "account"},
	ScopePassword:    {"password", "user", "account"},
	ScopeCertificate: {"certificate", "user", "password", "account"},
	ScopeAccount:     {"account"},
}

// fact is one field of an object in expressions.
type fact struct {
	name    string
	kind    *types.Type
	about   string
	columns []string // the columns that contain it; N is replaced by the place of a credential
	// get returns nil if the value is unknown.
	get func(o *object) any
	// age is the value of an age in seconds, which get returns in days. It is nil for
	// other facts.
	age func(o *object) (seconds int64, known bool)
}

// known says whether a fact is known.
func (f *fact) known(o *object) bool {
	if f.age != nil {
		_, known := f.age(o)
		return known
	}
	return f.get(o) != nil
}

// ageFact returns a fact that is an age in days.
func ageFact(name, about string, columns []string, age func(*object) (int64, bool)) fact {
	return fact{name, types.DoubleType, about, columns, func(o *object) any {
		if seconds, known := age(o); known {
			return days(seconds)
		}
		return nil
	}, age}
}

// newFact returns any other fact.
func newFact(name string, kind *types.Type, about string, columns []string, get func(*object) any) fact {
	return fact{name, kind, about, columns, get, nil}
}

// object is a user, a credential or an account in expressions. It is a value of
// CEL.
type object struct {
	kind  *types.Type
	sight *sight
	at    int // the index of the credential in sight.credentials
	stats *Stats
}

// credential returns the credential of an object.
func (o *object) credential() *credential { return &o.sight.credentials[o.at] }

// row returns the row of an object.
func (o *object) row() *report.Row { return o.sight.row }

// typePrefix begins the names of the types, which distinguishes them from
// variables.
const typePrefix = "rollcall."

// The types of the objects.
var (
	userType        = types.NewObjectType(typePrefix + "user")
	passwordType    = types.NewObjectType(typePrefix + "password")
	keyType         = types.NewObjectType(typePrefix + "key")
	certificateType = types.NewObjectType(typePrefix + "certificate")
	accountType     = types.NewObjectType(typePrefix + "account")
)

var objectTypes = map[string]*types.Type{
	"user": userType, "password": passwordType, "key": keyType, "certificate": certificateType, "account": accountType,
}

// days returns an age in seconds as a number of days with a fraction. An age of
// 90 days and one second is more than 90.
func days(seconds int64) float64 { return float64(seconds) / (24 * 60 * 60) }

func moment(t report.Time) any {
	if sec, ok := t.Unix(); ok {
		return time.Unix(sec, 0).UTC()
	}
	return nil
}

func truth(b report.Bool) any {
	switch {
	case b.IsTrue():
		return true
	case b.IsFalse():
		return false
	}
	return nil
}

// mfa is truth, but a word that is neither true nor false counts as false, as in
// C5 and C6.
func mfa(b report.Bool) any {
	if unreadable(b) {
		return nil
	}
	return b.IsTrue()
}

// everUsed says whether a credential was ever used, if the report shows it.
func everUsed(t report.Time) any {
	switch {
	case t.IsPresent():
		return true
	case never(t):
		return false
	}
	return nil
}

// idle returns the age of the last use of a credential. If it was never used, it
// is the age of its creation or change, as in C7 and C8.
func (o *object) idle() (int64, bool) {
	c := o.credential()
	switch {
	case !never(c.used):
		return o.sight.age(c.used)
	case c.kind == Password && !c.made.IsPresent() && c.made.Absence() != report.Malformed &&
		c.made.Absence() != report.MissingColumn:
		return o.sight.age(o.row().Created)
	}
	return o.sight.age(c.made)
}

func given(t report.Text) any {
	if t.IsPresent() {
		return t.String()
	}
	return nil
}

// ofCredential returns the facts of every kind of credential. active and
// created are their names.
func ofCredential(active, made, created, about string) []fact {
	return []fact{
		newFact(active, types.BoolType, about, []string{"state"},
			func(o *object) any { return truth(o.credential().active) }),
		newFact(created, types.TimestampType, "when that was", []string{"made"},
			func(o *object) any { return moment(o.credential().made) }),
		ageFact("age_days", "days since then", []string{"made"},
			func(o *object) (int64, bool) { return o.sight.age(o.credential().made) }),
	}
}

// uses returns the facts about the uses of a password or a key.
func uses() []fact {
	return []fact{
		newFact("used", types.BoolType, "whether it was ever used", []string{"used"},
			func(o *object) any { return everUsed(o.credential().used) }),
		newFact("last_used", types.TimestampType, "when it was last used", []string{"used"},
			func(o *object) any { return moment(o.credential().used) }),
		ageFact("last_used_days", "days since its last use", []string{"used"},
			func(o *object) (int64, bool) { return o.sight.age(o.credential().used) }),
		ageFact("idle_days", "days since its last use, or since its creation or change if it was never used",
			[]string{"used", "made"}, (*object).idle),
	}
}

// factsOf returns the facts of each type of object.
var factsOf = map[string][]fact{
	"user": {
		newFact("name", types.StringType, "the name", []string{"user"}, func(o *object) any { return o.row().User }),
		newFact("arn", types.StringType, "the ARN", []string{"arn"}, func(o *object) any { return o.row().ARN }),
		newFact("path", types.StringType, "the path, such as /people/", []string{"arn"},
			func(o *object) any { return o.path() }),
		newFact("is_root", types.BoolType, "whether it is the root user", []string{"user"},
			func(o *object) any { return o.row().IsRoot() }),
		newFact("class", types.StringType, "human, machine, break-glass, root or unknown", []string{"user"},
			func(o *object) any { return o.sight.class.String() }),
		newFact("created", types.TimestampType, "when the user was created", []string{"user_creation_time"},
			func(o *object) any { return moment(o.row().Created) }),
		ageFact("age_days", "days since then", []string{"user_creation_time"},
			func(o *object) (int64, bool) { return o.sight.age(o.row().Created) }),
		newFact("mfa", types.BoolType, "whether an MFA device is enabled", []string{"mfa_active"},
			func(o *object) any { return mfa(o.row().MFAActive) }),
		newFact("keys", types.NewListType(keyType), "the access keys; not known if one of them may or may not exist",
			columnsOfBoth("access_key"), func(o *object) any { return o.existing(AccessKey) }),
		newFact("certificates", types.NewListType(certificateType), "the signing certificates, likewise",
			columnsOfBoth("cert"), func(o *object) any { return o.existing(Certificate) }),
		newFact("tags", types.NewMapType(types.StringType, types.StringType), "the tags, known with --enrich tags only", nil,
			func(o *object) any { return o.tags() }),
	},
	"password": slices.Concat(
		ofCredential("enabled", "made", "changed", "whether there is a password"), uses(), []fact{
			newFact("next_rotation", types.TimestampType, "when it has to be changed", []string{"password_next_rotation"},
				func(o *object) any { return moment(o.row().PasswordNextRotation) }),
		}),
	"key": slices.Concat([]fact{
		newFact("slot", types.IntType, "1 or 2, the place in the report", nil,
			func(o *object) any { return int64(o.credential().slot) + 1 }),
	}, ofCredential("active", "made", "created", "whether the key is active"), uses(), []fact{
		newFact("last_used_region", types.StringType, "the region of its last use",
			[]string{"access_key_N_last_used_region"},
			func(o *object) any { return given(o.row().Keys[o.credential().slot].LastUsedRegion) }),
		newFact("last_used_service", types.StringType, "the service of its last use",
			[]string{"access_key_N_last_used_service"},
			func(o *object) any { return given(o.row().Keys[o.credential().slot].LastUsedService) }),
	}),
	"certificate": slices.Concat([]fact{
		newFact("slot", types.IntType, "1 or 2, the place in the report", nil,
			func(o *object) any { return int64(o.credential().slot) + 1 }),
	}, ofCredential("active", "made", "uploaded", "whether the certificate is active")),
	"account": {
		newFact("id", types.StringType, "the account's number", nil,
			func(o *object) any { return known(o.sight.accountID) }),
		newFact("partition", types.StringType, "aws, aws-cn or aws-us-gov", nil,
			func(o *object) any { return known(o.sight.partition) }),
		counted("users", "users, without root", func(s *Stats) (int, bool) { return s.Users, true }),
		counted("console_users", "users with a password",
			func(s *Stats) (int, bool) { return s.ConsoleUsers, s.Untold.ConsoleUsers == 0 }),
		counted("console_users_with_mfa", "users with a password and MFA",
			func(s *Stats) (int, bool) { return s.ConsoleUsersMFA, s.Untold.ConsoleUsers == 0 }),
		counted("active_keys", "active access keys",
			func(s *Stats) (int, bool) { return s.ActiveKeys, s.Untold.Keys == 0 }),
		counted("inactive_keys", "inactive access keys",
			func(s *Stats) (int, bool) { return s.InactiveKeys, s.Untold.Keys == 0 }),
		counted("root_keys", "active access keys of root",
			func(s *Stats) (int, bool) { return s.Root.Keys, s.Root.Seen && s.Untold.Keys == 0 }),
		newFact("root_mfa", types.BoolType, "whether root has MFA", []string{"mfa_active"},
			func(o *object) any { return o.ofRoot(func(r *RootStats) any { return mfa(r.MFA) }) }),
		ageFact("root_last_used_days", "days since root was used; absent if it never was",
			[]string{"password_last_used"}, func(o *object) (int64, bool) {
				if o.stats == nil || !o.stats.Root.Seen {
					return 0, false
				}
				return o.sight.age(o.stats.Root.LastUsed)
			}),
	},
}

// counted returns a fact for a number in the report's statistics, if they
// contain it. Only controls of the account know it, because they are judged
// after the last row.
func counted(name, about string, of func(*Stats) (n int, known bool)) fact {
	return newFact(name, types.IntType, "the number of "+about, nil, func(o *object) any {
		if o.stats == nil {
			return nil
		}
		if n, known := of(o.stats); known {
			return int64(n)
		}
		return nil
	})
}

func (o *object) ofRoot(of func(*RootStats) any) any {
	if o.stats == nil || !o.stats.Root.Seen {
		return nil
	}
	return of(&o.stats.Root)
}

func known(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// columnsOfBoth returns the columns that show which credentials of a kind exist.
func columnsOfBoth(prefix string) []string {
	return []string{prefix + "_1_active", prefix + "_1_last_rotated", prefix + "_2_active", prefix + "_2_last_rotated"}
}

// existing returns the credentials of a kind that exist in the row, and nil if there
// is one that may or may not exist.
func (o *object) existing(kind CredentialKind) any {
	all, known := o.sight.list(kind)
	if !known {
		return nil
	}
	list := []ref.Val{}
	for i := range all.n {
		list = append(list, &all.of[i])
	}
	return list
}

// list is existing without CEL.
func (s *sight) list(kind CredentialKind) (all credentialList, known bool) {
	for _, at := range placesOf(kind) {
		switch {
		case !s.exists(at):
		case s.credentials[at].doubt() != nil:
			return all, false
		default:
			all.of[all.n] = object{kind: kindOf(kind), sight: s, at: at}
			all.n++
		}
	}
	return all, true
}

func (o *object) tags() any {
	if o.sight.facts == nil || o.sight.facts.Tags == nil {
		return nil
	}
	return o.sight.facts.Tags
}

// path returns the path of the user, if the row has an ARN.
func (o *object) path() any {
	if o.row().IsRoot() {
		return o.row().Path()
	}
	return known(o.row().Path())
}

// exists reports whether a row has a credential at a place. A credential that
// may or may not exist counts; see doubt.
func (s *sight) exists(at int) bool {
	c := &s.credentials[at]
	return !c.active.IsFalse() || c.kind != Password && c.made.Absence() != report.NotApplicable
}

// placesOf returns the indexes of a kind in credentials.
func placesOf(kind CredentialKind) []int {
	switch kind {
	case Password:
		return []int{0}
	case AccessKey:
		return []int{1, 2}
	}
	return []int{3, 4}
}

func kindOf(kind CredentialKind) *types.Type {
	switch kind {
	case Password:
		return passwordType
	case AccessKey:
		return keyType
	}
	return certificateType
}

// unknownIn returns the columns to blame if a fact is unknown.
func (f *fact) unknownIn(o *object) []report.Column {
	kind := map[*types.Type]CredentialKind{keyType: AccessKey, certificateType: Certificate}
	if f.kind.Kind() == types.ListKind {
		for _, at := range placesOf(kind[f.kind.Parameters()[0]]) {
			if doubt := o.sight.credentials[at].doubt(); doubt != nil {
				return doubt
			}
		}
	}
	return f.blame(o)
}

// absent reports that an expression needs an unknown value.
type absent struct{ columns []report.Column }

func (*absent) Error() string { return "a value is not known" }

// blame returns the columns of a fact for the credential of an object.
func (f *fact) blame(o *object) []report.Column {
	var all []report.Column
	for _, name := range f.columns {
		switch name {
		case "state":
			all = append(all, o.credential().state...)
		case "made":
			all = append(all, o.credential().madeIn...)
		case "used":
			all = append(all, o.credential().usedIn...)
		default:
			if o.kind == keyType {
				name = strings.Replace(name, "_N_", "_"+strconv.Itoa(int(o.credential().slot)+1)+"_", 1)
			}
			all = append(all, columns(name)...)
		}
	}
	return all
}
