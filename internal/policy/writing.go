package policy

// These functions are for remarks to authors of documents, beyond the errors of
// Parse.

// ActionPattern returns a function that says whether an action of a statement,
// which may have wildcards, matches the action with a name like s3:GetObject.
func ActionPattern(written string) (matches func(name string) bool) {
	p, _ := compile(written, syntax{wild: true, fold: true})
	return p.matches
}

// TrustsEveryone reports whether the statement names everyone as its principal.
func (st *Statement) TrustsEveryone() bool { return st.principals != nil && st.principals.everyone }
