package identity

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// A search finds the rows that a walk finds, and no others.
func TestRowOf(t *testing.T) {
	for n := range 40 {
		var users []string
		for i := range n {
			users = append(users, fmt.Sprintf([]string{"user-%02d", "USER-%02d", "us,er%02d"}[i%3], i))
		}
		slices.SortFunc(users, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
		rows := "\n<root_account>,arn:root"
		for i, u := range users {
			cell := u
			if strings.Contains(u, ",") {
				cell = `"` + u + `"`
			}
			rows += "\n" + cell + "," + strings.Repeat("x", i*7%90)
		}
		for _, u := range append(users, "", "a", "user-", "user-0", "zzz") {
			key := strings.ToLower(u)
			var want string
			ok := false
			for row, rest := []byte(nil), []byte(rows); len(rest) > 0; {
				row, rest = cutRow(rest)
				if string(userOf(row, nil)) == key {
					want, ok = string(row), true
				}
			}
			got, found := rowOf([]byte(rows), key, nil)
			if string(got) != want || found != ok {
				t.Fatalf("%d users, %q: %q, %t, want %q, %t", n, u, got, found, want, ok)
			}
			if _, found := rowOf(nil, key, nil); found {
				t.Errorf("a row of nothing for %q", u)
			}
		}
	}
}
