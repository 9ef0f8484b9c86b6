package review

import (
	"fmt"
	"strconv"
	"strings"

	"rollcall/internal/escape"
)

// column is a column of a sheet that shows a fact.
type column struct {
	name string
	of   func(*Item) string
}

// facts are the columns of a sheet that nobody may change.
var facts = []column{
	{"account", func(i *Item) string { return i.Account }},
	{"account_name", func(i *Item) string { return i.AccountName }},
	{"user", func(i *Item) string { return i.User }},
	{"class", func(i *Item) string { return i.Class }},
	{"credential", func(i *Item) string { return strings.TrimSpace(i.Kind + " " + i.KeyID) }},
	{"state", func(i *Item) string { return i.State }},
	{"created", func(i *Item) string { return i.Created }},
	{"age_days", func(i *Item) string { return daysText(i.AgeDays) }},
	{"last_used", func(i *Item) string { return i.LastUsed }},
	{"unused_days", func(i *Item) string { return daysText(i.UnusedDays) }},
	{"used_from", func(i *Item) string { return i.UsedFrom }},
	{"mfa", func(i *Item) string { return i.MFA }},
	{"findings", findingsText},
	{"since_last_review", sinceText},
	{"last_decision", beforeText},
}

// These columns identify a line of a sheet, or are for answers.
const (
	columnLine     = "line"
	columnFreeze   = "freeze"
	columnReviewer = "reviewer"
	columnDecision = "decision"
	columnReason   = "reason"
	columnExpires  = "expires"
	columnTicket   = "ticket"
	columnComment  = "comment"
	columnBy       = "decided_by"
)

// identifying and answering are in the order of a sheet. The facts come between
// them.
var (
	identifying = []string{columnLine, columnFreeze, columnReviewer}
	answering   = []string{columnDecision, columnReason, columnExpires, columnTicket, columnComment, columnBy}
)

// mostFacts is the number of characters of a cell of facts. Excel cuts off a
// cell after 32,767.
const mostFacts = 4000

func findingsText(i *Item) string {
	var all []string
	for _, f := range i.Findings {
		text := f.Control + " " + f.Status + ": " + f.Reason
		if f.Exception != "" {
			text += " Excused by exception " + f.Exception + "."
		}
		all = append(all, text)
	}
	if i.Note != "" {
		all = append(all, i.Note)
	}
	return join(all)
}

func sinceText(i *Item) string {
	if i.New {
		return "New."
	}
	return join(i.Changes)
}

func beforeText(i *Item) string {
	if i.Before == nil {
		return ""
	}
	text := fmt.Sprintf("%s by %s", i.Before.Decision, i.Before.By)
	if i.Before.Expires != "" {
		text += " until " + i.Before.Expires
	}
	if i.Before.Reason != "" {
		text += ": " + i.Before.Reason
	}
	if i.KeptInARow > 1 {
		text += fmt.Sprintf(" (kept %d times in a row)", i.KeptInARow)
	}
	return text
}

// cellOf returns a fact as the text of a cell.
func (c *column) cellOf(i *Item) string {
	text := c.of(i)
	if r := []rune(text); len(r) > mostFacts {
		text = string(r[:mostFacts]) + "…"
	}
	return escape.CSVCell(text)
}

// same reports whether a cell still shows a fact, after a spreadsheet has opened
// and saved the sheet.
func (c *column) same(i *Item, cell string) bool {
	want := c.cellOf(i)
	plain := strings.TrimSpace(strings.TrimPrefix(want, "'"))
	if cell == strings.TrimSpace(want) || cell == plain || sameMoment(want, cell) {
		return true
	}
	return c.name == "account" && sameNumber(want, cell)
}

// sameNumber reports whether a cell is a number of twelve digits in the form in
// which spreadsheets save it: without leading zeros, or with an exponent and
// fewer digits.
func sameNumber(want, cell string) bool {
	if strings.TrimLeft(want, "0") == cell {
		return true
	}
	cell = strings.ReplaceAll(strings.ToUpper(cell), ",", ".")
	mantissa, _, ok := strings.Cut(cell, "E+")
	if !ok {
		return false
	}
	number, err := strconv.ParseFloat(want, 64)
	if err != nil {
		return false
	}
	_, digits, _ := strings.Cut(mantissa, ".")
	shown := strconv.FormatFloat(number, 'E', len(digits), 64)
	return shown == cell
}
