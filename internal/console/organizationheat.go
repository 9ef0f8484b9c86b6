package console

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rollcall/internal/audit"
)

// controlTally counts the verdicts of one control in one report.
type controlTally struct {
	control  *audit.Control
	statuses [audit.NumStatuses]int32
	excused  int32
}

func tallyOf(counts []audit.ControlCounts) []controlTally {
	all := make([]controlTally, len(counts))
	for i := range counts {
		all[i].control = counts[i].Control
		for status, n := range counts[i].Statuses {
			all[i].statuses[status] = int32(n)
		}
		all[i].excused = int32(counts[i].Suppressed)
	}
	return all
}

func (t *controlTally) add(other *controlTally) {
	for status, n := range other.statuses {
		t.statuses[status] += n
	}
	t.excused += other.excused
}

// heatView is the data of the map of accounts and controls.
type heatView struct {
	Controls []heatControl
	All      []heatCell
	Rows     []heatRow
}

// heatControl is the head of a column. Sort is the address of the page with the
// accounts in the order of this control.
type heatControl struct {
	Called, ID, Title string
	Sort              string
	Sorted            bool
}

// title returns the title of a control with its number.
func (c heatControl) title() string { return strings.TrimSpace(c.ID + " " + c.Title) }

type heatRow struct {
	Account, Link string
	Why           string
	Cells         []heatCell
}

// heatCell is a cell: a sign to see and a text to hear. Link leads to the
// findings of the control in the account.
type heatCell struct{ Sign, Text, Class, Link string }

// heat returns the map of the accounts that the page shows, and of all accounts
// together.
func (v *visit) heat(read *organizationRead, shown []accountFigures, b *audit.Benchmark) *heatView {
	all := read.together()
	if all == nil {
		return nil
	}
	h := &heatView{}
	for i := range all {
		c := all[i].control
		head := heatControl{ID: string(c.ID), Title: c.Title, Called: strings.Join(c.RequirementIDs(b.ID), ", ")}
		if head.Called == "" {
			head.Called, head.ID = head.ID, ""
		}
		head.Sorted = v.query("control") == string(c.ID)
		head.Sort = v.judgedLink(organizationPath, "control", string(c.ID))
		h.Controls = append(h.Controls, head)
		h.All = append(h.All, cellOf(&all[i], "All accounts", &head, head.Sort))
	}
	for i := range shown {
		h.Rows = append(h.Rows, v.heatRow(&shown[i], h.Controls))
	}
	return h
}

// together adds up the verdicts of all accounts. It returns nil if there are none.
func (o *organizationRead) together() (all []controlTally) {
	for i := range o.accounts {
		a := &o.accounts[i]
		if all == nil {
			all = slices.Clone(a.controls)
			continue
		}
		for j := range a.controls {
			all[j].add(&a.controls[j])
		}
	}
	return all
}

func (v *visit) heatRow(a *accountFigures, heads []heatControl) heatRow {
	r := heatRow{Account: a.account, Link: v.inAccount(a.account, v.judgedLink(overviewPath)), Why: a.why}
	for i := range a.controls {
		to := v.inAccount(a.account, v.judgedLink(findingsPath, "control", string(a.controls[i].control.ID)))
		r.Cells = append(r.Cells, cellOf(&a.controls[i], a.account, &heads[i], to))
	}
	return r
}

// inAccount returns the address of a page of an account. To see it, the person
// switches to the organization's role in that account first.
func (v *visit) inAccount(account, page string) string {
	if account == v.account() {
		return page
	}
	return link(rolePath, "account", account, "role", organizationRole, "to", page)
}

// cellOf shows the worst that came of a control.
func cellOf(t *controlTally, who string, c *heatControl, to string) heatCell {
	cell := heatCell{Link: to, Text: who + ", " + c.Called + " " + c.Title + ": " + t.inWords()}
	n := t.statuses
	switch {
	case n[audit.Fail] > 0:
		cell.Sign, cell.Class = thousands(int(n[audit.Fail])), fmt.Sprint("heat-", t.depth())
	case n[audit.NoData] > 0:
		cell.Sign, cell.Class = "?", "no-data"
	case n[audit.Warn] > 0:
		cell.Sign, cell.Class = "!"+thousands(int(n[audit.Warn])), "warn"
	case t.excused > 0:
		cell.Sign, cell.Class = "exc", "excused"
	case n[audit.Manual] > 0:
		cell.Sign, cell.Class = "◇", "manual"
	case n[audit.Pass] > 0:
		cell.Sign, cell.Class = "✓", "pass"
	default:
		cell.Sign, cell.Class = "–", "zero"
	}
	return cell
}

func (t *controlTally) inWords() string {
	var parts []string
	for _, s := range append(reportedStatuses[:], audit.Pass) {
		if n := t.statuses[s]; n > 0 {
			parts = append(parts, thousands(int(n))+" "+statusWord(s))
		}
	}
	if t.excused > 0 {
		parts = append(parts, thousands(int(t.excused))+" excused")
	}
	return cmp.Or(strings.Join(parts, ", "), "not applicable")
}

// judged counts the verdicts of which a share can fail, as on the HTML page.
func (t *controlTally) judged() (all int64) {
	for _, status := range []audit.Status{audit.Pass, audit.Fail, audit.NoData, audit.Warn} {
		all += int64(t.statuses[status])
	}
	return all
}

// depth returns how deep the red of a cell is, from 1 to 4.
func (t *controlTally) depth() int {
	depth := 1
	for _, percent := range []int64{10, 25, 50} {
		if int64(t.statuses[audit.Fail])*100 >= percent*t.judged() {
			depth++
		}
	}
	return depth
}

// worstFirst returns the accounts in the order of one control: those with the
// most failures first.
func worstFirst(accounts []accountFigures, id string) []accountFigures {
	rank := func(a accountFigures) (n [4]int32) {
		for i := range a.controls {
			if string(a.controls[i].control.ID) == id {
				for j, s := range []audit.Status{audit.Fail, audit.NoData, audit.Warn, audit.Manual} {
					n[j] = a.controls[i].statuses[s]
				}
			}
		}
		return n
	}
	sorted := slices.Clone(accounts)
	slices.SortStableFunc(sorted, func(a, b accountFigures) int {
		x, y := rank(a), rank(b)
		return slices.Compare(y[:], x[:])
	})
	return sorted
}
