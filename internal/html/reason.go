package html

import (
	"fmt"
	"strings"

	"rollcall/internal/audit"
	"rollcall/report"
)

// In a template, numberMark stands for a number and timeMark for a moment in
// the report's form, both of which are in args.
const (
	numberMark = '\x01'
	timeMark   = '\x02'
)

// maxNumber is the largest number that JavaScript holds exactly, in decimal
// digits.
const maxNumber = 999_999_999_999_999

// template returns the texts of a reason, and puts its numbers and moments into
// args: there are few templates, each of which is stored once.
func (s *rows) template(reason audit.Reason) string {
	var b strings.Builder
	for part := range reason.Parts() {
		sec, isTime := part.Time.Unix()
		switch {
		case isTime:
			b.WriteByte(timeMark)
			s.args.number(sec)
		case part.IsNumber && 0 <= part.Number && part.Number <= maxNumber:
			b.WriteByte(numberMark)
			s.args.number(part.Number)
		case part.IsNumber:
			fmt.Fprint(&b, part.Number)
		default:
			b.WriteString(unmarked.Replace(part.Text))
		}
	}
	return b.String()
}

// unmarked shows the marks in the text of others.
var unmarked = strings.NewReplacer(string(numberMark), `\x01`, string(timeMark), `\x02`)

// marked is the cell of the column that a finding names first.
func marked(f *audit.Finding) int {
	if len(f.Columns) == 0 {
		return userCell
	}
	return cellOf[f.Columns[0].Fact]
}

// cellOf is the cell of a line that shows a fact.
var cellOf = [...]int{
	report.UserFact: userCell, report.MFAFact: mfaCell, report.StateFact: stateCell, report.MadeFact: madeCell,
	report.UsedFact: usedCell, report.WhereFact: whereCell, report.AdditionalFact: credentialCell,
}
