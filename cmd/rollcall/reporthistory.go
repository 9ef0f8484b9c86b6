package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/identity"
	"rollcall/internal/store"
)

// historyFlag says which reports to keep, by an age in days, such as 400d, or by a
// number of reports. Clients may still be reading the second newest report, so
// the least number is 2.
type historyFlag store.ReportHistory

func (h *historyFlag) Set(text string) error {
	days, aged := strings.CutSuffix(text, "d")
	n, err := strconv.Atoi(days)
	switch {
	case err != nil, aged && (n < 1 || n > 36_500), !aged && n < 2:
		return fmt.Errorf("%q is neither an age of at least one day, such as 400d, nor a number of reports of at least 2",
			text)
	case aged:
		*h = historyFlag{Count: identity.ReportCount, Age: time.Duration(n) * 24 * time.Hour}
	default:
		*h = historyFlag{Count: n}
	}
	return nil
}

func (h *historyFlag) String() string {
	if h.Age == 0 {
		return strconv.Itoa(h.Count)
	}
	return strconv.Itoa(int(h.Age/(24*time.Hour))) + "d"
}

// Type names the flag's kind in help.
func (h *historyFlag) Type() string { return "age" }
