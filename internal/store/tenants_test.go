package store_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/store"
	"rollcall/internal/storetest"
)

// These are the two accounts. One has a row in every table, and none of its
// rows must reach the other, which asks.
const fullAccount, askingAccount = "123456789012", "999999999999"

// acrossAccounts are the methods without an account: their keys are unique
// across all accounts, or they are for operators.
var acrossAccounts = map[string]bool{
	"Exec": true, "Pairs": true, "Dump": true, "Accounts": true, "AccessKey": true,
	"KeyOwner": true, "KeyLastUsed": true,
	"AccountsSetTo": true, "DataKeys": true, "AllDataKeys": true, "InsertDataKey": true, "InsertReport": true,
	"RewrapDataKey": true, "InsertAccount": true,
	"TokenIssuerByID": true, "EndedTokenKeys": true,
	"SessionByID": true, "TicketByID": true, "TakeTicket": true, "PauseOf": true, "TryAt": true, "TakeBackTry": true,
	"ForgetTries": true, "Twin": true, "Beside": true,
	"ScanCredentials": true, "ScanCredentialsOf": true, "ScanCredentialsBetween": true, // see TestScansAskForTheAccount
}

// ofAsking returns the rows of the account that asks. It only has a root user,
// or it is the twin of the full one: it has the same things under the same
// names and ids, and differs in everything else.
func ofAsking(t *testing.T, twin bool) (rows []statement) {
	t.Helper()
	other := strings.NewReplacer(
		fullAccount, askingAccount, "AKIA1", "AKIA2", "'example'", "'other'", "'aws'", "'aws-cn'", ", 7)",
		", 8)", "'document'", "'mine'",
		"'description'", "'mine'", "'trust_policy'", "'mine'", "'metadata'", "'mine'", "'thumbprints'",
		"'mine'", "'body'", "'mine'",
		"'value'", "'mine'", "'v'", "'mine'", "'tag_value'", "'mine'", "'PEM'", "'mine'", "'Active'",
		"'Inactive'", "'region'", "'mine'",
		"'issuer_id'", "'mine'", "'session", "'mine", "'ticket", "'mine", "'address'", "'mine'",
		"'user_agent'", "'mine'", "'code1'", "'mine1'", "'code2'", "'mine2'", "'token1'", "'mine1'", "'token2'",
		"'mine2'",
		"'Bill'", "'BILL'", "'/a/'", "'/mine/'", "'eu'", "'mine'", "4102444800000", "4102444900000", "1700000000",
		"1600000000", ", 99)", ", 98)",
	)
	for _, row := range rowsOfEverything(t) {
		if strings.Contains(row.sql, fullAccount) == twin {
			rows = append(rows, statement{other.Replace(row.sql), row.args})
		}
	}
	if twin {
		rows = append(rows, moreOf(askingAccount, "1")...)
	}
	return rows
}

// ofFull returns the rows of the full account. If a statement takes the newest
// or the oldest rows, the account has more of them than any statement takes.
func ofFull(t *testing.T) []statement {
	t.Helper()
	rows := slices.DeleteFunc(rowsOfEverything(t), func(row statement) bool {
		return !strings.Contains(row.sql, fullAccount)
	})
	rows = append(rows, moreOf(fullAccount, "2")...)
	for i := range 10 {
		rows = append(rows,
			statement{`INSERT INTO access_jobs VALUES ($1, $2, 'arn', 9, $3)`,
				[]any{fullAccount, fmt.Sprint("job", i), []byte{5}}},
			statement{`INSERT INTO code_guesses VALUES ($1, $2, 1, 1)`, []any{fullAccount, fmt.Sprint("arn:", i)}})
	}
	for _, sql := range []string{
		`INSERT INTO code_guesses VALUES ($1, 'arn:now', ` + fmt.Sprint(created.Unix()) + `, 9)`,
		`INSERT INTO password_history VALUES ($1, '', 100, 'x')`,
		`INSERT INTO reports VALUES ($1, 5, 1700000000, 1700000000123, 3, 2, 'ab', 2, 0)`,
		`INSERT INTO user_attachments VALUES ($1, 'y', 'policy_arn')`,
		`INSERT INTO user_boundaries VALUES ($1, 'y', 'policy_arn')`,
		`INSERT INTO group_attachments VALUES ($1, 'y', 'policy_arn')`,
		`INSERT INTO role_attachments VALUES ($1, 'y', 'policy_arn')`,
		`INSERT INTO role_boundaries VALUES ($1, 'y', 'policy_arn')`,
	} {
		rows = append(rows, statement{sql, []any{fullAccount}})
	}
	return append(rows, statement{`INSERT INTO report_chunks VALUES ($1, 2, 2, 3, $2)`, []any{fullAccount, []byte{5}}})
}

// moreOf starts a report job in an account, and adds two reports, a piece that
// belongs to no report, and principals y, whose ids begin with the prefix and
// who only have uses of services.
func moreOf(account string, prefix string) (rows []statement) {
	for _, sql := range []string{
		`DELETE FROM report_chunks WHERE account = $1 AND seq = 0`, // a large one
		`UPDATE report_jobs SET running = 1 WHERE account = $1`,
		`INSERT INTO reports VALUES ($1, ` + prefix + `1, 1700000000, 1700000000123, 3, 2, 'ab', 2, 0)`,
		`INSERT INTO reports VALUES ($1, ` + prefix + `2, 1700000000, 1700000000123, 3, 2, 'ab', 2, 0)`,
		`INSERT INTO users VALUES ($1, 'y', 'y', '/', '` + prefix + `AIDA', 7)`,
		`INSERT INTO user_groups VALUES ($1, 'y', 'y', '/', '` + prefix + `AGPA', 7)`,
		`INSERT INTO roles VALUES ($1, 'y', 'y', '/', '` + prefix + `AROA', '', 'trust_policy', '', 7, '', 7)`,
	} {
		rows = append(rows, statement{sql, []any{account}})
	}
	for _, principal := range []string{"AIDA1", "role_id", prefix + "AIDA", prefix + "AROA"} {
		rows = append(rows,
			statement{`INSERT INTO service_last_used VALUES ($1, $2, 's3', '', 7, '')`, []any{account, principal}})
	}
	return append(rows, statement{`INSERT INTO report_chunks VALUES ($1, 5, 9, 3, $2)`, []any{account, []byte{5}}})
}

// A method of a transaction does the same whether or not another account is in
// the database, whatever its other arguments: its result and the rows are the
// same, and the other account does not change.
func TestMethodsAskForTheAccount(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string][]statement{"bare": ofAsking(t, false), "twin": ofAsking(t, true)} {
		t.Run(name, func(t *testing.T) {
			alone, beside := atOneTime(t), atOneTime(t)
			insert(t, alone, rows)
			insert(t, beside, append(ofFull(t), rows...))
			tried := 0
			methods := reflect.TypeFor[*store.Tx]()
			for i := range methods.NumMethod() {
				m := methods.Method(i)
				if acrossAccounts[m.Name] {
					continue
				}
				if accountOf(m.Type) == 0 {
					t.Errorf("%s is of no account: say so", m.Name)
					continue
				}
				tried++
				callBoth(t, alone, beside, m)
			}
			if tried < 80 {
				t.Errorf("only %d methods were tried", tried)
			}
			usesAskForTheAccount(t, alone, beside)
		})
	}
}

// atOneTime returns a database whose clocks stand still.
func atOneTime(t *testing.T) *store.DB {
	t.Helper()
	db := storetest.Open(t, store.Config{Memory: true, Now: func() time.Time { return created }})
	db.StopClock(created)
	return db
}

// usesAskForTheAccount notes uses by principals of the account that asks, and
// by some that exist only in the other one.
func usesAskForTheAccount(t *testing.T, alone, beside *store.DB) {
	t.Helper()
	full := rowsNow(t, beside, fullAccount)
	for _, db := range []*store.DB{alone, beside} {
		for _, principal := range []string{"AIDA1", "role_id"} {
			db.ServiceUsed(store.ServiceUse{Account: askingAccount, Principal: principal, Service: "s3",
				Action: "x", At: created})
		}
		db.PasswordUsed(askingAccount, "bill", created)
		if err := db.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if after := rowsNow(t, beside, fullAccount); !maps.Equal(full, after) {
		t.Errorf("uses of account %s change %s: %v", askingAccount, fullAccount, difference(full, after))
	}
	if a, b := rowsNow(t, alone, askingAccount), rowsNow(t, beside, askingAccount); !maps.Equal(a, b) {
		t.Errorf("uses of account %s differ beside %s: %v", askingAccount, fullAccount, difference(a, b))
	}
}

// A scan next to another account returns the same as one without.
func TestScansAskForTheAccount(t *testing.T) {
	t.Parallel()
	engines := map[string]func(testing.TB) store.Config{"sqlite": storetest.SQLite, "postgres": storetest.Postgres}
	for name, engine := range engines {
		t.Run(name, func(t *testing.T) {
			for _, twin := range []bool{true, false} {
				alone, beside := storetest.Open(t, engine(t)), storetest.Open(t, engine(t))
				insert(t, alone, ofAsking(t, twin))
				insert(t, beside, append(ofFull(t), ofAsking(t, twin)...))
				if a, b := scanned(t, alone), scanned(t, beside); !slices.Equal(a, b) {
					t.Errorf("twin %t: alone\n%q\nbeside another account\n%q", twin, a, b)
				}
			}
		})
	}
}

func scanned(t *testing.T, db *store.DB) (rows []string) {
	t.Helper()
	err := db.View(t.Context(), func(tx *store.Tx) error {
		add := func(r *store.CredentialRow) error {
			rows = append(rows, fmt.Sprintf("%q %+v", r.NameKey, *r))
			return nil
		}
		return errors.Join(tx.ScanCredentials(askingAccount, add),
			tx.ScanCredentialsOf(askingAccount, []string{"", "bill", "x", "y"}, add),
			tx.ScanCredentialsBetween(askingAccount, "", "", add))
	})
	if err != nil {
		rows = append(rows, err.Error())
	}
	return rows
}

var errUndo = errors.New("undo")

// callBoth calls a method with all arguments in two databases, and compares its
// results and its changes. It then undoes them.
func callBoth(t *testing.T, alone, beside *store.DB, m reflect.Method) {
	t.Helper()
	var given [2][]string
	var left [2]map[string]bool
	lists := argumentsOf(m.Type)
	for i, db := range []*store.DB{alone, beside} {
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			before := rowsOf(t, tx, fullAccount)
			for _, args := range lists {
				given[i] = append(given[i], gives(tx, m, args))
			}
			if after := rowsOf(t, tx, fullAccount); !maps.Equal(before, after) {
				t.Errorf("%s of account %s changes %s: %v", m.Name, askingAccount, fullAccount,
					difference(before, after))
			}
			left[i] = rowsOf(t, tx, askingAccount)
			return errUndo
		})
		if !errors.Is(err, errUndo) {
			t.Fatalf("%s: %v", m.Name, err)
		}
	}
	if differing[m.Name] != "" {
		return
	}
	for i, args := range lists {
		if given[0][i] != given[1][i] {
			t.Errorf("%s%s gives %s, but beside %s %s", m.Name, toldOf(args), given[0][i], fullAccount, given[1][i])
			return
		}
	}
	if !maps.Equal(left[0], left[1]) {
		t.Errorf("%s leaves another %s beside %s: %v", m.Name, askingAccount, fullAccount, difference(left[0], left[1]))
	}
}

// differing lists the methods whose result or rows may differ because of
// another account, with the reasons.
var differing = map[string]string{
	"StartReportJob": "the first token is drawn", "StartReportJobAfter": "the first token is drawn",
	"InsertAccessKey": "ids are taken in all accounts",
	"InsertAlias":     "aliases are taken in all accounts",
}

// gives calls a method and returns its result as text.
func gives(tx *store.Tx, m reflect.Method, args []reflect.Value) string {
	args[0] = reflect.ValueOf(tx)
	call := m.Func.Call
	if m.Type.IsVariadic() {
		call = m.Func.CallSlice
	}
	results := call(args)
	var all []any
	for _, r := range results {
		all = append(all, r.Interface())
	}
	return fmt.Sprintf("%+v", all)
}

// rowsOf returns the rows of an account.
func rowsOf(t *testing.T, tx *store.Tx, account string) map[string]bool {
	t.Helper()
	all, err := tx.Dump()
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for table, lines := range all {
		for _, line := range lines {
			if strings.Contains(line, account) {
				rows[table+" "+line] = true
			}
		}
	}
	return rows
}

func rowsNow(t *testing.T, db *store.DB, account string) (rows map[string]bool) {
	t.Helper()
	view(t, db, func(tx *store.Tx) error {
		rows = rowsOf(t, tx, account)
		return nil
	})
	return rows
}

func difference(a, b map[string]bool) (rows []string) {
	for row := range a {
		if !b[row] {
			rows = append(rows, "- "+row)
		}
	}
	for row := range b {
		if !a[row] {
			rows = append(rows, "+ "+row)
		}
	}
	slices.Sort(rows)
	return rows
}
