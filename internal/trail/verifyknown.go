package trail

import "slices"

// known compares the files with a head that the database knows. The head may
// belong to a file of another machine, or to one that log rotation began later.
func (v *Verifier) known(h KnownHead) {
	here := slices.ContainsFunc(v.files, func(name string) bool { return Here(name).Place == h.Place })
	c := v.chains[h.Chain]
	switch {
	case !h.Proven(v.MAC):
		v.problem("", 0, "what the database knows of the end of %s on %s was changed", h.Path, h.Host)
	case here, c != nil && (c.Head.Seq >= h.Seq || !c.moved):
		v.expected(h.Head)
	case c != nil:
		v.note(c.Seen, c.line, "%s of chain %s, which the database knows, %s in none of the files", numbered(c.Head.Seq+1,
			h.Seq), h.Chain, isAre(c.Head.Seq+1, h.Seq))
	default:
		v.note("", 0, "chain %s, of which the database knows record %d, at %s on %s, is in none of the files", h.Chain, h.Seq,
			h.Path, h.Host)
	}
}
