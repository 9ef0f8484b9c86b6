package store

// ReportBasis holds all that the rows of a report depend on besides its users.
type ReportBasis struct {
	Account Account
	Policy  PasswordPolicy
	Limits  map[string]int
}

// ReportBasis reads the basis of an account's report, or ErrNotFound.
func (tx *Tx) ReportBasis(account string) (b ReportBasis, err error) {
	err = tx.together(b.exchanges(account))
	return b, err
}

func (b *ReportBasis) exchanges(account string) []exchange {
	return []exchange{
		{statement{accountSQL, []any{account}}, takeOne(accountFields(&b.Account)...)},
		{statement{passwordPolicySQL, []any{account}}, takeOptional(passwordPolicyFields(&b.Policy)...)},
		limitsOf(account, &b.Limits),
	}
}

// ReportStart holds all that the next report of an account is made of, besides
// the rows of users.
type ReportStart struct {
	Basis     ReportBasis
	Recording ReportRecording // the zero value if there is none
	Last      Report          // the newest, or the zero value
	Marks     []ReportMark    // in order of name
}

// ReportStart reads the start of an account's next report, with up to so many
// marks. ErrNotFound: there is no such account.
func (tx *Tx) ReportStart(account string, marks int) (s ReportStart, err error) {
	var last []Report
	r := &s.Recording
	all := append(s.Basis.exchanges(account), []exchange{
		{statement{`SELECT base, shape FROM report_recordings WHERE account = $1`, []any{account}},
			takeOptional(&r.Base, &r.Shape)},
		{statement{tx.reportsSQL(latestReport + " LIMIT 1"), []any{account}},
			func(r rows) error { return scanReports(r, &last) }},
		{statement{`SELECT name_key, version FROM report_marks WHERE account = $1 ORDER BY name_key LIMIT $2`,
			[]any{account, marks}},
			takeMany(&s.Marks, func(m *ReportMark) []any { return []any{&m.NameKey, &m.Version} })},
	}...)
	if err := tx.together(all); err != nil {
		return s, err
	}
	if len(last) > 0 {
		s.Last = last[0]
	}
	return s, nil
}
