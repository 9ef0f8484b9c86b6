package fleet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"rollcall/internal/history"
)

// ParseAccounts reads a list of accounts. Each line has an account number, or the
// ARN of the role to assume in the account, and optionally a name. Empty lines and
// comments, which begin with #, are ignored.
//
//	# payments
//	111111111111  payments production
//	arn:aws:iam::222222222222:role/audit/ReadOnly
func ParseAccounts(r io.Reader) ([]Member, error) {
	var all []Member
	line, seen := 0, map[string]int{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line++
		text, _, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "\ufeff"), "#")
		fields := strings.Fields(text)
		if len(fields) == 0 {
			continue
		}
		m := Member{Account: fields[0], Name: strings.Join(fields[1:], " ")}
		if strings.HasPrefix(m.Account, "arn:") {
			m.Role = m.Account
			m.Account = accountOfRole(m.Role)
		}
		if !history.IsAccountID(m.Account) {
			return nil, fmt.Errorf("line %d: %q is neither an account of twelve digits nor the ARN of a role", line,
				fields[0])
		}
		if first, twice := seen[m.Account]; twice {
			return nil, fmt.Errorf("line %d: account %s is on line %d already", line, m.Account, first)
		}
		seen[m.Account] = line
		all = append(all, m)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("line %d: %w", line+1, err)
	}
	if len(all) == 0 {
		return nil, errors.New("it names no accounts")
	}
	return all, nil
}

// accountOfRole returns the account in a role's ARN, or "".
func accountOfRole(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[1] == "" || parts[2] != "iam" || parts[3] != "" || len(parts[5]) <= len("role/") ||
		!strings.HasPrefix(parts[5], "role/") {
		return ""
	}
	return parts[4]
}
