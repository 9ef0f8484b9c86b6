package audit

import (
	"math/bits"

	"rollcall/report"
)

// cells is a set of facts about a user that have few meanings. Most are cells of the
// report.
type cells uint16

// The members of cells.
const (
	classCell cells = 1 << iota
	mfaCell
	tagsCell // whether the tags are known
	// stateCell is the state of the password and the time of its change. The next four
	// are the same for keys and certificates.
	stateCell
	keyStates         = stateCell<<1 | stateCell<<2
	certificateStates = stateCell<<3 | stateCell<<4
	// usedCell is the last use of the password. The next two are for keys.
	usedCell = stateCell << numStates
	allCells = usedCell<<3 - 1

	numStates = len(credentials{})
)

// The meanings of a cell.
const (
	unclear = iota // the report does not tell it
	yes
	no
	meanings // their number
)

var (
	stateMeaning = [256]uint8{report.True: yes, report.False: no}
	timeMeaning  = [256]uint8{report.Present: yes, report.NotApplicable: no}
	useMeaning   = [256]uint8{report.Present: yes, report.NotApplicable: no, report.NoInformation: no}
)

// number returns the number of the combination of meanings that a row has.
func (c cells) number(s *sight) (n int) {
	if c&classCell != 0 {
		n = int(s.class)
	}
	if c&mfaCell != 0 {
		n *= meanings
		if is, known := mfa(s.row.MFAActive); is {
			n += yes
		} else if known {
			n += no
		}
	}
	if c&tagsCell != 0 {
		n *= meanings
		if s.facts != nil && s.facts.Tags != nil {
			n += yes
		}
	}
	if c&(usedCell-stateCell) != 0 {
		n = c.states(s, n)
	}
	if c >= usedCell {
		n = c.uses(s, n)
	}
	return n
}

// states adds to a number the states of credentials.
func (c cells) states(s *sight, n int) int {
	if c&stateCell != 0 {
		n = s.credentials[0].meaning(n)
	}
	if c&(stateCell<<1) != 0 {
		n = s.credentials[1].meaning(n)
	}
	if c&(stateCell<<2) != 0 {
		n = s.credentials[2].meaning(n)
	}
	if c&(stateCell<<3) != 0 {
		n = s.credentials[3].meaning(n)
	}
	if c&(stateCell<<4) != 0 {
		n = s.credentials[4].meaning(n)
	}
	return n
}

// meaning adds to a number the state of a credential.
func (c *credential) meaning(n int) int {
	return n*meanings*meanings + int(stateMeaning[c.active])*meanings + int(timeMeaning[c.made.Absence()])
}

// uses adds to a number the last uses of credentials.
func (c cells) uses(s *sight, n int) int {
	if c&usedCell != 0 {
		n = n*meanings + int(useMeaning[s.credentials[0].used.Absence()])
	}
	if c&(usedCell<<1) != 0 {
		n = n*meanings + int(useMeaning[s.credentials[1].used.Absence()])
	}
	if c&(usedCell<<2) != 0 {
		n = n*meanings + int(useMeaning[s.credentials[2].used.Absence()])
	}
	return n
}

// combinations returns how many there are.
func (c cells) combinations() int {
	n := 1
	if c&classCell != 0 {
		n = len(classes)
	}
	const states = usedCell - stateCell
	for range bits.OnesCount16(uint16(c&^classCell)) + bits.OnesCount16(uint16(c&states)) {
		n *= meanings
	}
	return n
}

// An example of each meaning.
var (
	classes = []Class{ClassUnknown, ClassRoot, ClassHuman, ClassMachine, ClassBreakGlass}
	states  = []report.Bool{report.NoBool(report.Malformed), report.True, report.False}
	times   = []report.Time{report.None(report.Malformed), report.AtUnix(0), report.None(report.NotApplicable)}
	tagging = []*UserFacts{nil, {Tags: map[string]string{}}}
)

// each calls visit with each combination in a sight.
func (c cells) each(s *sight, visit func()) {
	cell := c & -c
	next := func() { (c &^ cell).each(s, visit) }
	switch {
	case cell == 0:
		visit()
	case cell == classCell:
		for _, s.class = range classes {
			next()
		}
	case cell == mfaCell:
		for _, s.row.MFAActive = range states {
			next()
		}
	case cell == tagsCell:
		for _, s.facts = range tagging {
			next()
		}
	case cell < usedCell:
		of := &s.credentials[bits.TrailingZeros16(uint16(cell/stateCell))]
		for _, of.active = range states {
			for _, of.made = range times {
				next()
			}
		}
	default:
		of := &s.credentials[bits.TrailingZeros16(uint16(cell/usedCell))]
		for _, of.used = range times {
			next()
		}
	}
}

// part says which cells a fact depends on. The zero part stands for more than a few
// meanings.
type part uint8

const (
	ofAnything part = iota
	ofPlace         // only of the place of the credential
	ofClass
	ofMFA
	ofTags
	ofState // and the time of creation or change
	ofUse
	ofKeys
	ofCertificates
)

// cells returns the cells of a part, of the credentials at some places.
func (p part) cells(places ...int) (all cells) {
	for _, at := range places {
		switch p {
		case ofState:
			all |= stateCell << at
		case ofUse:
			all |= usedCell << at
		}
	}
	return all | [...]cells{ofClass: classCell, ofMFA: mfaCell, ofTags: tagsCell, ofKeys: keyStates,
		ofCertificates: certificateStates}[p]
}
