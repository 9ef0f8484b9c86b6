package review

import (
	"fmt"
	"strings"
	"time"

	"rollcall/report"
)

// sights are the rows of a later report that may concern wanted items.
type sights struct {
	byARN     map[string]report.Row
	byCreated map[string][]report.Row // for users that the frozen report does not have
}

// rowsFor reads a later report.
func rowsFor(content []byte, wanted []*Item, known map[string]bool) (*sights, error) {
	arns, created := map[string]bool{}, map[string]bool{}
	for _, i := range wanted {
		arns[i.ARN], created[i.UserCreated] = true, true
	}
	s := &sights{byARN: map[string]report.Row{}, byCreated: map[string][]report.Row{}}
	return s, eachRow(content, func(row *report.Row) error {
		made := textOf(row.Created)
		switch {
		case arns[row.ARN]:
			s.byARN[row.ARN] = *row
		case !known[row.ARN] && made != "" && created[made]:
			s.byCreated[made] = append(s.byCreated[made], *row)
		}
		return nil
	})
}

// see returns the state of an item in the report.
func (s *sights) see(i *Item) seen {
	row, ok := s.byARN[i.ARN]
	switch {
	case ok && i.UserCreated == "":
		return seen{how: "The frozen report does not say when the user was created, so nobody can tell whether this is " +
			"the same one."}
	case ok && textOf(row.Created) == i.UserCreated:
		return credentialIn(&row, i, "")
	}
	// A user that was renamed or moved has another ARN, but the same second of
	// creation.
	switch others := s.byCreated[i.UserCreated]; {
	case len(others) > 1:
		return seen{how: "The user is gone, and several users of the same second are new: one of them may be this user."}
	case len(others) == 1:
		return credentialIn(&others[0], i, "The user is called "+others[0].User+" now. ")
	case ok:
		return seen{state: seenGone, how: "The user was deleted, and another one has the name."}
	}
	return seen{state: seenGone, how: "The user is gone."}
}

// credentialIn returns the state of a credential in the row of its user.
func credentialIn(row *report.Row, i *Item, note string) seen {
	at := func(state seenState, format string, args ...any) seen {
		return seen{state: state, how: note + fmt.Sprintf(format, args...)}
	}
	there := func(what string) seen {
		changed := different(row, i)
		s := at(seenThere, "%s", strings.TrimSpace(what+" "+join(changed)))
		s.changed = len(changed) > 0
		return s
	}
	if i.Kind == kindUser {
		return there("The user is still there.")
	}
	var same, others []held
	for _, c := range credentialsOf(row) {
		switch {
		case c.kind != i.Kind:
		case c.ID() == i.Credential:
			same = append(same, c)
		default:
			others = append(others, c)
		}
	}
	if len(same) == 0 {
		return withoutIt(i, others, at)
	}
	switch c := same[0]; c.state {
	case stateInactive:
		if i.State == stateInactive {
			return at(seenOff, "The %s is inactive, as it was at the freeze.", i.Kind)
		}
		return at(seenOff, "The %s is inactive.", i.Kind)
	case stateActive:
		return there("The " + i.Kind + " is still active.")
	}
	return at(seenUnknown, "The report does not say whether the %s is active.", i.Kind)
}

// withoutIt judges a row that does not have the credential, as far as the row
// allows.
func withoutIt(i *Item, others []held, at func(seenState, string, ...any) seen) seen {
	second, _, _ := strings.Cut(i.Credential, "#")
	for _, c := range others {
		id, _, _ := strings.Cut(c.ID(), "#")
		switch {
		case id == second:
			return at(seenUnknown, "Two of the user's were created in the same second, and the report has one: it may be "+
				"the other.")
		case c.made.Absence() != report.Present:
			return at(seenUnknown, "The report has a %s without a time of creation: it may be this one.", i.Kind)
		}
	}
	if strings.Contains(i.Credential, ":#") && len(others) > 0 {
		return at(seenUnknown, "Nobody knows when it was created, so nothing distinguishes it from another one.")
	}
	return at(seenGone, "The %s is gone.", i.Kind)
}

// different returns the differences of a later row from the frozen one. A use is
// not a change that somebody decided.
func different(row *report.Row, i *Item) []string {
	for _, is := range itemsOf(row, i.Account, time.Time{}) {
		if is.Credential != i.Credential || is.Kind != i.Kind {
			continue
		}
		was := *i
		for _, of := range []*Item{&was, &is} {
			of.Findings, of.KeyID, of.LastUsed, of.UsedFrom = nil, "", "", ""
		}
		return changes(&was, &is)
	}
	return nil
}
