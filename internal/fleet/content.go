package fleet

import (
	"bytes"
	"fmt"

	"rollcall/report"
)

// checkReport returns an error for content that must not be saved as the report
// of an account: it is not a report, or has rows of another account.
func checkReport(content []byte, account string) error {
	rd, err := report.NewReader(bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("the service's report: %w", err)
	}
	for row, err := range rd.All() {
		if err != nil {
			return fmt.Errorf("the service's report: %w", err)
		}
		if of := row.AccountID(); of != account {
			return fmt.Errorf("the service's report is of account %q: line %d has %q", of, rd.Line(),
				row.ARN)
		}
	}
	return nil
}
