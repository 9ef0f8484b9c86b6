package identity

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/policy"
)

// statementsOut are statements that decided, as answers tell them.
func statementsOut(l simulatedLayer, matches []policy.Match) []types.Statement {
	var out []types.Statement
	for _, m := range matches {
		for i := range l.policies {
			if p := &l.policies[i]; p.Document == m.Policy.Document && p.ARN == m.Policy.ARN && p.Name == m.Policy.Name {
				out = union(out, []types.Statement{statementOut(l.kind, p, m.Statement)})
			}
		}
	}
	return out
}

func statementOut(kind string, p *sourcePolicy, st *policy.Statement) types.Statement {
	start, end := statementPlace(p.text, st)
	return types.Statement{
		SourcePolicyId: ptr(p.sourceID()), SourcePolicyType: types.PolicySourceType(kind), StartPosition: &start, EndPosition: &end,
	}
}

// sourceID is what a simulation calls a policy: a managed one by its name, an
// inline one by what it belongs to and its name, and one of the request by its
// parameter (reported by users of AWS).
func (p *sourcePolicy) sourceID() string {
	switch {
	case p.ARN != "":
		return policyName(p.ARN)
	case p.of != "":
		return string(p.of) + "_" + p.entity + "_" + p.Name
	}
	return p.Name
}

// statementPlace is where a simulation says that a statement is. It ends
// behind its brace. It begins where what is before it ends, the bracket of
// the list or the brace of the statement before, so that a comma is its own;
// a statement that is in no list begins with its brace. Both were measured by
// users of AWS on documents of every form. Columns count characters from 1.
func statementPlace(text string, st *policy.Statement) (start, end types.Position) {
	from := offset(text, st.Start)
	before := strings.TrimRight(text[:from], " \t\r\n")
	before = strings.TrimRight(strings.TrimSuffix(before, ","), " \t\r\n")
	if strings.HasSuffix(before, "[") || strings.HasSuffix(before, "}") {
		from = len(before)
	}
	return place(text, from), place(text, offset(text, st.End))
}

// offset is a place in a text as the number of bytes before it.
func offset(text string, at policy.Position) int {
	line := 1
	for i := 0; ; i++ {
		if line == at.Line {
			return i + at.Column - 1
		}
		if text[i] == '\n' {
			line++
		}
	}
}

func place(text string, offset int) types.Position {
	before := text[:offset]
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return types.Position{Line: int32(strings.Count(before, "\n") + 1), Column: int32(len([]rune(line)) + 1)}
}

// union adds statements that are not there yet.
func union(all, more []types.Statement) []types.Statement {
	for _, st := range more {
		if !hasStatement(all, st) {
			all = append(all, st)
		}
	}
	return all
}

func hasStatement(all []types.Statement, st types.Statement) bool {
	for _, have := range all {
		if *have.SourcePolicyId == *st.SourcePolicyId && have.SourcePolicyType == st.SourcePolicyType && *have.StartPosition == *st.StartPosition {
			return true
		}
	}
	return false
}
