package html

import (
	"fmt"
	"strings"

	"rollcall/internal/audit"
	"rollcall/report"
)

// In a template, numberMark replaces a number, and timeMark a time in the form of
// reports. Their values are in args.
const (
	numberMark = '\x01'
	timeMark   = '\x02'
)

// maxNumber is the largest number that JavaScript holds exactly, in decimal
// digits.
const maxNumber = 999_999_999_999_999

// template returns the texts of a reason, and appends its numbers and times to args.
// There are few templates, and each is stored once.
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

// unmarked writes marks in texts of reports as escapes.
var unmarked = strings.NewReplacer(string(numberMark), `\x01`, string(timeMark), `\x02`)

// marked returns the cell of the first column of a finding.
func marked(f *audit.Finding) int {
	if len(f.Columns) == 0 {
		return userCell
	}
	return cellOf[f.Columns[0].Fact]
}

// cellOf holds the cell of a line that shows each fact.
var cellOf = [...]int{
	report.UserFact: userCell, report.MFAFact: mfaCell, report.StateFact: stateCell, report.MadeFact: madeCell,
	report.UsedFact: usedCell, report.WhereFact: whereCell, report.AdditionalFact: credentialCell,
}
