package audit

import (
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

// fact is one field of an object in expressions. One of its functions returns the
// value, and whether it is known.
type fact struct {
	name    string
	kind    *types.Type
	about   string
	columns []string // the columns that contain it; N is replaced by the place of a credential
	part    part     // the cells on which depends whether it is known; for ages and times not the value

	truth  func(*object) (bool, bool)
	text   func(*object) (string, bool)
	count  func(*object) (int64, bool)
	age    func(*object) (seconds int64, known bool) // get returns it in days
	moment func(*object) (unix int64, known bool)
	list   func(*object) (credentialSet, bool)
	tags   func(*object) (map[string]string, bool)
}

// get returns the value of a fact for CEL, nil if it is unknown.
func (f *fact) get(o *object) any {
	switch {
	case f.truth != nil:
		return ifKnown(f.truth(o))
	case f.text != nil:
		return ifKnown(f.text(o))
	case f.count != nil:
		return ifKnown(f.count(o))
	case f.age != nil:
		if seconds, known := f.age(o); known {
			return days(seconds)
		}
	case f.moment != nil:
		if unix, known := f.moment(o); known {
			return time.Unix(unix, 0).UTC()
		}
	case f.list != nil:
		if set, known := f.list(o); known {
			return o.sight.values(set)
		}
	case f.tags != nil:
		return ifKnown(f.tags(o))
	}
	return nil
}

func ifKnown[T any](value T, known bool) any {
	if !known {
		return nil
	}
	return value
}

// varies says whether the part of a row does not determine the value of the fact, but
// only whether it is known.
func (f *fact) varies() bool { return f.age != nil || f.moment != nil || f.tags != nil }

// knowing returns the question whether a fact is known.
func (f *fact) knowing() func(*object) bool {
	switch {
	case f.truth != nil:
		return known(f.truth)
	case f.text != nil:
		return known(f.text)
	case f.count != nil:
		return known(f.count)
	case f.age != nil:
		return known(f.age)
	case f.moment != nil:
		return known(f.moment)
	case f.list != nil:
		return known(f.list)
	}
	return known(f.tags)
}

func known[T any](get func(*object) (T, bool)) func(*object) bool {
	return func(o *object) bool {
		_, known := get(o)
		return known
	}
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

// truth returns the value of a cell, and whether it is known.
func truth(b report.Bool) (is, known bool) { return b.IsTrue(), b.IsTrue() || b.IsFalse() }

// mfa is truth, but a word that is neither true nor false counts as false, as in
// C5 and C6.
func mfa(b report.Bool) (is, known bool) { return b.IsTrue(), !unreadable(b) }

// everUsed says whether a credential was ever used, if the report shows it.
func everUsed(t report.Time) (used, known bool) { return t.IsPresent(), t.IsPresent() || never(t) }

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

// root returns what the report says of root, which only controls of the account know.
func (o *object) root() (*RootStats, bool) {
	if o.stats == nil || !o.stats.Root.Seen {
		return nil, false
	}
	return &o.stats.Root, true
}

func given(s string) (text string, known bool) { return s, s != "" }

// arn returns the ARN, if the row has one. A cell such as N/A is none.
func (o *object) arn() (arn string, known bool) {
	return o.row().ARN, strings.HasPrefix(o.row().ARN, "arn:")
}

// path returns the path of the user, if the row has an ARN.
func (o *object) path() (path string, known bool) {
	path, known = o.pathAndName()
	return path[:strings.LastIndexByte(path, '/')+1], known
}

// pathAndName returns the path of the user with the name behind it, or "" for root. The
// ARNs of an account begin alike, so what is before the path is found once.
func (o *object) pathAndName() (path string, known bool) {
	s := o.sight
	if head := len(s.arnHead); head > 0 && strings.HasPrefix(s.row.ARN, s.arnHead) {
		return s.row.ARN[head-1:], true
	}
	if path = s.row.Path(); path == "" {
		return "", s.isRoot()
	}
	begin := strings.LastIndexByte(s.row.ARN, '/') + 1 - len(path)
	s.arnHead = s.row.ARN[:begin+1]
	return s.row.ARN[begin:], true
}

// tagsOfUser returns the tags of the user, if there is enrichment.
func (o *object) tagsOfUser() (tags map[string]string, known bool) {
	if o.sight.facts == nil {
		return nil, false
	}
	return o.sight.facts.Tags, o.sight.facts.Tags != nil
}

// credentialSet is a set of indexes in sight.credentials: bit n is for credential n.
type credentialSet uint8

// existing returns the keys or certificates that exist in the row, unless there is
// one that may or may not exist.
func (s *sight) existing(kind CredentialKind) (set credentialSet, known bool) {
	first := firstPlace(kind)
	for at := first; at < first+2; at++ {
		switch c := &s.credentials[at]; {
		case c.active.IsTrue(), c.made.IsPresent():
			set |= 1 << at
		case c.doubt() != nil:
			return 0, false
		}
	}
	return set, true
}

// values returns the objects of a set of keys or certificates for CEL.
func (s *sight) values(set credentialSet) []ref.Val {
	list := []ref.Val{}
	for ; set != 0; set &= set - 1 {
		at := set.first()
		list = append(list, &object{kind: kindOf(s.credentials[at].kind), sight: s, at: at})
	}
	return list
}

// exists reports whether a row has a credential at a place. A credential that
// may or may not exist counts; see doubt.
func (s *sight) exists(at int) bool {
	c := &s.credentials[at]
	return !c.active.IsFalse() || c.kind != Password && c.made.Absence() != report.NotApplicable
}

// firstPlace returns the first index of a kind in credentials.
func firstPlace(kind CredentialKind) int {
	switch kind {
	case Password:
		return 0
	case AccessKey:
		return 1
	}
	return 3
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
	if f.list != nil {
		first := firstPlace(f.listed())
		for at := first; at < first+2; at++ {
			if doubt := o.sight.credentials[at].doubt(); doubt != nil {
				return doubt
			}
		}
	}
	return f.blame(o)
}

// listed returns the kind of the credentials in a list.
func (f *fact) listed() CredentialKind {
	if f.kind.Parameters()[0].IsExactType(keyType) {
		return AccessKey
	}
	return Certificate
}

// missing returns the reports of an unknown fact, by the index of the object's
// credential.
func (f *fact) missing(kind *types.Type) (all [len(blank)]*absent) {
	s := &sight{credentials: blank}
	for at := range all {
		all[at] = &absent{f.blame(&object{kind: kind, sight: s, at: at})}
	}
	return all
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
