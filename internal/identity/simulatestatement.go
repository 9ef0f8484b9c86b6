package identity

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"rollcall/internal/policy"
)

// toldStatement is a statement of a policy, with the kind that answers give the
// policy.
type toldStatement struct {
	kind      string
	policy    *sourcePolicy
	statement *policy.Statement
}

// statementsOut returns statements that decided, in the form of answers. The
// position of a statement in its text is computed once, even if the statement
// applies to many resources.
func (sim *simulation) statementsOut(
	ctx context.Context, l simulatedLayer, matches []policy.Match,
) ([]types.Statement, error) {
	type named struct {
		document  *policy.Document
		arn, name string
	}
	byName := map[named][]*sourcePolicy{}
	for i := range l.policies {
		p := &l.policies[i]
		byName[named{p.Document, p.ARN, p.Name}] = append(byName[named{p.Document, p.ARN, p.Name}], p)
	}
	var out []types.Statement
	have := map[statementKey]bool{}
	for _, m := range matches {
		for _, p := range byName[named{m.Policy.Document, m.Policy.ARN, m.Policy.Name}] {
			key := toldStatement{l.kind, p, m.Statement}
			st, told := sim.statements[key]
			if !told {
				if ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				st = statementOut(l.kind, p, m.Statement)
				sim.statements[key] = st
			}
			out = union(have, out, []types.Statement{st})
		}
	}
	return out, nil
}

func statementOut(kind string, p *sourcePolicy, st *policy.Statement) types.Statement {
	start, end := StatementPlace(p.text, st)
	return types.Statement{
		SourcePolicyId: ptr(p.sourceID()), SourcePolicyType: types.PolicySourceType(kind),
		StartPosition: &start, EndPosition: &end,
	}
}

// sourceID returns the name of a policy in a simulation. A managed policy has
// its name, an inline policy its owner and its name, and a policy of the
// request its parameter (reported by users of AWS).
func (p *sourcePolicy) sourceID() string {
	switch {
	case p.ARN != "":
		return policyName(p.ARN)
	case p.of != "":
		return string(p.of) + "_" + p.entity + "_" + p.Name
	}
	return p.Name
}

// StatementPlace returns the position of a statement as a simulation reports
// it. It ends after the closing brace. It begins after the preceding text,
// which is the bracket of the list or the brace of the previous statement, so
// it includes a comma. A single statement that is not in a list begins after
// its opening brace. Recorded. Columns count characters from 1.
func StatementPlace(text string, st *policy.Statement) (start, end types.Position) {
	from := offset(text, st.Start)
	before := strings.TrimRight(text[:from], " \t\r\n")
	before = strings.TrimRight(strings.TrimSuffix(before, ","), " \t\r\n")
	if strings.HasSuffix(before, "[") || strings.HasSuffix(before, "}") {
		from = len(before)
	} else {
		from++
	}
	return place(text, from), place(text, offset(text, st.End))
}

// offset returns a position in a text as the number of bytes before it.
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

// lineEnds replaces every line end by one byte. A carriage return ends a line
// with or without a line feed after it. Recorded.
var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

func place(text string, offset int) types.Position {
	before := lineEnds.Replace(text[:offset])
	line := before[strings.LastIndexByte(before, '\n')+1:]
	return types.Position{Line: int32(strings.Count(before, "\n") + 1), Column: int32(utf8.RuneCountInString(line) + 1)}
}

// statementKey identifies a statement of an answer.
type statementKey struct {
	source, kind string
	line, column int32
}

// union adds the statements that are missing in a list.
func union(have map[statementKey]bool, all, more []types.Statement) []types.Statement {
	for _, st := range more {
		key := statementKey{*st.SourcePolicyId, string(st.SourcePolicyType),
			st.StartPosition.Line, st.StartPosition.Column}
		if !have[key] {
			have[key] = true
			all = append(all, st)
		}
	}
	return all
}
