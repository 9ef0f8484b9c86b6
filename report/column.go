package report

// Column describes a column that this package knows. Programs should decide by
// these fields, and not by the name, where to show a column and how.
type Column struct {
	Name string
	Kind Kind
	// Credential is the kind of credential that the column describes, and Slot is
	// its place in the row, 1 or 2. Slot is 0 for a password and for none.
	Credential CredentialKind
	Slot       int
	Fact       Fact

	field field
}

// Kind is the type of a column's cells.
type Kind uint8

// The kinds.
const (
	NameKind       Kind = iota // a string that is always present: user and arn
	BoolKind                   // a [Bool]
	TimeKind                   // a [Time]
	TextKind                   // a [Text]
	AdditionalKind             // a [Text] for which an empty cell means N/A
	unknownKind
)

// CredentialKind is a kind of credential in the report. The zero kind means
// none: the column describes the user, or the finding concerns the whole
// report.
type CredentialKind uint8

// The kinds of credentials.
const (
	NoCredential CredentialKind = iota
	PasswordCredential
	KeyCredential
	CertificateCredential
)

// String returns "", password, key or cert.
func (k CredentialKind) String() string {
	switch k {
	case PasswordCredential:
		return "password"
	case KeyCredential:
		return "key"
	case CertificateCredential:
		return "cert"
	default:
		return ""
	}
}

// MarshalText returns the text of String.
func (k CredentialKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Fact says what a column shows.
type Fact uint8

// The facts.
const (
	UserFact       Fact = iota // who the user is, and since when
	StateFact                  // whether the credential exists or is active
	MadeFact                   // when the credential was created, or must be changed
	UsedFact                   // when the credential was last used
	WhereFact                  // where the credential was last used
	MFAFact                    // whether the user has MFA
	AdditionalFact             // which credentials the row does not show
)

// KnownColumns returns every column that this package knows, in the order of
// the report. The caller owns the slice.
func KnownColumns() []Column {
	all := make([]Column, len(known))
	for f := range known {
		all[f] = known[f].Column
	}
	return all
}

// FindColumn returns the column with exactly this name.
func FindColumn(name string) (Column, bool) {
	f := fieldOf(name)
	if f == fieldUnknown {
		return Column{}, false
	}
	return known[f].Column, true
}

// Bool returns the cell of a column of BoolKind. For any other column it
// returns a MissingColumn.
func (c Column) Bool(r *Row) Bool {
	if c.Kind != BoolKind {
		return NoBool(MissingColumn)
	}
	return *r.boolAt(c.field)
}

// Time returns the cell of a column of TimeKind. For any other column it
// returns a MissingColumn.
func (c Column) Time(r *Row) Time {
	if c.Kind != TimeKind {
		return None(MissingColumn)
	}
	return *r.timeAt(c.field)
}

// Text returns the cell of a column of TextKind or AdditionalKind. For any
// other column it returns a MissingColumn.
func (c Column) Text(r *Row) Text {
	if c.Kind != TextKind && c.Kind != AdditionalKind {
		return NoText(MissingColumn)
	}
	return *r.textAt(c.field)
}

// field is the index of a known column, in the order of the report.
type field uint8

const (
	fieldUser field = iota
	fieldARN
	fieldCreated
	fieldPasswordEnabled
	fieldPasswordLastUsed
	fieldPasswordLastChanged
	fieldPasswordNextRotation
	fieldMFAActive
	fieldKey1Active
	fieldKey1LastRotated
	fieldKey1LastUsed
	fieldKey1LastUsedRegion
	fieldKey1LastUsedService
	fieldKey2Active
	fieldKey2LastRotated
	fieldKey2LastUsed
	fieldKey2LastUsedRegion
	fieldKey2LastUsedService
	fieldCert1Active
	fieldCert1LastRotated
	fieldCert2Active
	fieldCert2LastRotated
	fieldAdditional

	fieldUnknown // any other column
)

// cell is a column with its place in a Row: one of these functions, the one for
// the column's kind, is set.
type cell struct {
	Column
	nameAt func(*Row) *string
	boolAt func(*Row) *Bool
	timeAt func(*Row) *Time
	textAt func(*Row) *Text
}

// owner is a credential that columns describe.
type owner struct {
	credential CredentialKind
	slot       int
}

// The owners.
var (
	none         = owner{}
	password     = owner{PasswordCredential, 0}
	key1, key2   = owner{KeyCredential, 1}, owner{KeyCredential, 2}
	cert1, cert2 = owner{CertificateCredential, 1}, owner{CertificateCredential, 2}
)

// known declares each column by its field: its credential and fact, its name,
// and its place in a Row.
var known = numbered([fieldUnknown]cell{
	fieldUser: of(none, UserFact, "user").
		name(func(r *Row) *string { return &r.User }),
	fieldARN: of(none, UserFact, "arn").
		name(func(r *Row) *string { return &r.ARN }),
	fieldCreated: of(none, UserFact, "user_creation_time").
		time(func(r *Row) *Time { return &r.Created }),
	fieldPasswordEnabled: of(password, StateFact, "password_enabled").
		bool(func(r *Row) *Bool { return &r.PasswordEnabled }),
	fieldPasswordLastUsed: of(password, UsedFact, "password_last_used").
		time(func(r *Row) *Time { return &r.PasswordLastUsed }),
	fieldPasswordLastChanged: of(password, MadeFact, "password_last_changed").
		time(func(r *Row) *Time { return &r.PasswordLastChanged }),
	fieldPasswordNextRotation: of(password, MadeFact, "password_next_rotation").
		time(func(r *Row) *Time { return &r.PasswordNextRotation }),
	fieldMFAActive: of(none, MFAFact, "mfa_active").
		bool(func(r *Row) *Bool { return &r.MFAActive }),
	fieldKey1Active: of(key1, StateFact, "access_key_1_active").
		bool(func(r *Row) *Bool { return &r.Keys[0].Active }),
	fieldKey1LastRotated: of(key1, MadeFact, "access_key_1_last_rotated").
		time(func(r *Row) *Time { return &r.Keys[0].LastRotated }),
	fieldKey1LastUsed: of(key1, UsedFact, "access_key_1_last_used_date").
		time(func(r *Row) *Time { return &r.Keys[0].LastUsed }),
	fieldKey1LastUsedRegion: of(key1, WhereFact, "access_key_1_last_used_region").
		text(func(r *Row) *Text { return &r.Keys[0].LastUsedRegion }),
	fieldKey1LastUsedService: of(key1, WhereFact, "access_key_1_last_used_service").
		text(func(r *Row) *Text { return &r.Keys[0].LastUsedService }),
	fieldKey2Active: of(key2, StateFact, "access_key_2_active").
		bool(func(r *Row) *Bool { return &r.Keys[1].Active }),
	fieldKey2LastRotated: of(key2, MadeFact, "access_key_2_last_rotated").
		time(func(r *Row) *Time { return &r.Keys[1].LastRotated }),
	fieldKey2LastUsed: of(key2, UsedFact, "access_key_2_last_used_date").
		time(func(r *Row) *Time { return &r.Keys[1].LastUsed }),
	fieldKey2LastUsedRegion: of(key2, WhereFact, "access_key_2_last_used_region").
		text(func(r *Row) *Text { return &r.Keys[1].LastUsedRegion }),
	fieldKey2LastUsedService: of(key2, WhereFact, "access_key_2_last_used_service").
		text(func(r *Row) *Text { return &r.Keys[1].LastUsedService }),
	fieldCert1Active: of(cert1, StateFact, "cert_1_active").
		bool(func(r *Row) *Bool { return &r.Certificates[0].Active }),
	fieldCert1LastRotated: of(cert1, MadeFact, "cert_1_last_rotated").
		time(func(r *Row) *Time { return &r.Certificates[0].LastRotated }),
	fieldCert2Active: of(cert2, StateFact, "cert_2_active").
		bool(func(r *Row) *Bool { return &r.Certificates[1].Active }),
	fieldCert2LastRotated: of(cert2, MadeFact, "cert_2_last_rotated").
		time(func(r *Row) *Time { return &r.Certificates[1].LastRotated }),
	fieldAdditional: of(none, AdditionalFact, "additional_credentials_info").
		additional(func(r *Row) *Text { return &r.Additional }),
})

// numbered returns the columns with their indexes.
func numbered(all [fieldUnknown]cell) [fieldUnknown]cell {
	for f := range all {
		all[f].field = field(f)
	}
	return all
}

func of(o owner, fact Fact, name string) cell {
	return cell{Column: Column{Name: name, Credential: o.credential, Slot: o.slot, Fact: fact}}
}

func (c cell) name(at func(*Row) *string) cell {
	c.Kind, c.nameAt = NameKind, at
	return c
}

func (c cell) bool(at func(*Row) *Bool) cell {
	c.Kind, c.boolAt = BoolKind, at
	return c
}

func (c cell) time(at func(*Row) *Time) cell {
	c.Kind, c.timeAt = TimeKind, at
	return c
}

func (c cell) text(at func(*Row) *Text) cell {
	c.Kind, c.textAt = TextKind, at
	return c
}

func (c cell) additional(at func(*Row) *Text) cell {
	c.Kind, c.textAt = AdditionalKind, at
	return c
}

func (f field) name() string { return known[f].Name }

func (f field) kind() Kind {
	if f >= fieldUnknown {
		return unknownKind
	}
	return known[f].Kind
}

// fieldOf finds a column by its exact name.
func fieldOf(name string) field {
	for f := range known {
		if known[f].Name == name {
			return field(f)
		}
	}
	return fieldUnknown
}

// nameAt, boolAt, timeAt and textAt return the place of a column in a Row. The
// column must be of their kind.

func (r *Row) nameAt(f field) *string { return known[f].nameAt(r) }
func (r *Row) boolAt(f field) *Bool   { return known[f].boolAt(r) }
func (r *Row) timeAt(f field) *Time   { return known[f].timeAt(r) }
func (r *Row) textAt(f field) *Text   { return known[f].textAt(r) }
