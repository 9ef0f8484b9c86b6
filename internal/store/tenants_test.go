package store_test

import (
	"context"
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

// The accounts of everything: one has a row in every table, the other has
// nothing but its root user.
const fullAccount, bareAccount = "123456789012", "999999999999"

// givesMore are the methods that give something of an account that has nothing
// but its root user.
var givesMore = map[string]string{
	"Account": "itself", "User": "its root user", "Users": "", "UserGrants": "its root user", "UserByID": "its root user",
	"StartReportJob": "a new token", "CountUser": "the number of its users",
	"GuessCode": "that it may be tried", "GuessPassword": "that it may be tried",
}

// acrossAccounts are the methods of no account: what they are asked by is
// unique in all of them, or they are for operators.
var acrossAccounts = map[string]bool{
	"Exec": true, "Pairs": true, "Dump": true, "Accounts": true, "AccessKey": true, "KeyOwner": true, "KeyLastUsed": true,
	"AccountsSetTo": true, "DataKeys": true, "AllDataKeys": true, "InsertDataKey": true, "RewrapDataKey": true, "InsertAccount": true,
	"ScanCredentials": true, // see below
}

// Whatever a method of a transaction is given beside the account, it reads and
// changes nothing of another account.
func TestMethodsAskForTheAccount(t *testing.T) {
	db := storetest.Open(t, store.Config{Memory: true})
	everything(t, db)
	var before map[string]bool
	update(t, db, func(tx *store.Tx) error {
		err := tx.Exec("DELETE FROM report_chunks WHERE seq = 0") // a large one
		before = ofFullAccount(t, tx)
		return err
	})
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
		callForBare(t, db, m, before)
	}
	view(t, db, func(tx *store.Tx) error {
		return tx.ScanCredentials(bareAccount, func(r *store.CredentialRow) error {
			if len(r.NameKey) > 0 || r.HasPassword || r.MFA {
				t.Errorf("a report of account %s has %+v", bareAccount, r)
			}
			return nil
		})
	})
	if tried < 80 {
		t.Errorf("only %d methods were tried", tried)
	}
}

// accountOf is which argument of a method is the account's number, or a row of
// it; 0 for none.
func accountOf(m reflect.Type) int {
	for i := 1; i < m.NumIn(); i++ {
		in := m.In(i)
		if in == reflect.TypeFor[string]() {
			return i
		}
		if in.Kind() == reflect.Struct {
			if _, ok := in.FieldByName("Account"); ok {
				return i
			}
		}
	}
	return 0
}

// kinds are all values of the types that say of what kind a thing is.
var kinds = map[reflect.Type][]any{
	reflect.TypeFor[store.Entity](): {store.UserEntity, store.GroupEntity, store.RoleEntity},
	reflect.TypeFor[store.TagsOf](): {store.InstanceProfileTags, store.OIDCProviderTags, store.SAMLProviderTags, store.ServerCertificateTags},
}

// given are what the rows of everything are asked by: each is tried for all
// texts that are no name, and with each of names.
var (
	given = []string{"bill", "x", "", "=1+1", "AKIA1", "arn:a", "arn:b", "C1", "APKA1", "ACCA1", "arn", "policy_arn", "client_id", "key_id", "job_id",
		"task_id", "name", "tag_key", "key_fold", "K", "größe", "AccessKeysPerUser", "principal_id", "AIDA1", "codecommit", "group_id", "role_id"}
	givenNames = []string{"bill", "x", ""}
)

// argumentsOf are lists of arguments for a method, for the bare account.
func argumentsOf(m reflect.Type) (lists [][]reflect.Value) {
	first := accountOf(m)
	of := kinds[m.In(1)]
	if of == nil {
		of = []any{nil}
	}
	for _, kind := range of {
		for _, text := range given {
			for _, name := range append([]string{text}, givenNames...) {
				for _, n := range []int64{7, 2, 3} {
					args := []reflect.Value{{}}
					for i := 1; i < m.NumIn(); i++ {
						v := reflect.New(m.In(i)).Elem()
						fillIn(v, map[bool]string{true: name, false: text}[i == first+1], n)
						switch {
						case i == 1 && kind != nil:
							v.Set(reflect.ValueOf(kind))
						case i == first && v.Kind() == reflect.String:
							v.SetString(bareAccount)
						}
						args = append(args, v)
					}
					lists = append(lists, args)
					if !takesNumbers(m) {
						break
					}
				}
			}
		}
	}
	return lists
}

func takesNumbers(m reflect.Type) bool {
	for i := 1; i < m.NumIn(); i++ {
		if k := m.In(i).Kind(); k == reflect.Int || k == reflect.Int64 {
			return true
		}
	}
	return false
}

// fillIn fills an argument: rows are of the bare account.
func fillIn(v reflect.Value, text string, n int64) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		v.SetInt(n)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte{1})
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1<<33, 0)))
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.Name == "Account" {
				v.Field(i).SetString(bareAccount)
			} else if f.IsExported() {
				fillIn(v.Field(i), text, n)
			}
		}
	}
}

var errUndo = errors.New("undo")

// callForBare calls a method with all arguments, and looks at what it gives and
// at what it changes. That is then undone.
func callForBare(t *testing.T, db *store.DB, m reflect.Method, before map[string]bool) {
	t.Helper()
	err := db.Update(context.Background(), func(tx *store.Tx) error {
		for _, args := range argumentsOf(m.Type) {
			args[0] = reflect.ValueOf(tx)
			if much := gives(m, args); len(much) > 0 {
				t.Errorf("%s%v of account %s gives %s", m.Name, args[1:], bareAccount, much)
				return errUndo
			}
		}
		if after := ofFullAccount(t, tx); !maps.Equal(before, after) {
			t.Errorf("%s of account %s changes %s: %v", m.Name, bareAccount, fullAccount, difference(before, after))
		}
		return errUndo
	})
	if !errors.Is(err, errUndo) {
		t.Fatalf("%s: %v", m.Name, err)
	}
}

// gives calls a method and says what of its results is too much.
func gives(m reflect.Method, args []reflect.Value) (much []string) {
	results := m.Func.Call(args)
	for _, r := range results {
		if err, isError := r.Interface().(error); isError && err != nil {
			return nil
		}
	}
	asked := map[string]bool{}
	for _, a := range args[1:] {
		if a.Kind() == reflect.String {
			asked[a.String()] = true
		}
	}
	for _, r := range results {
		_, mayGive := givesMore[m.Name]
		if text := fmt.Sprint(r.Interface()); strings.Contains(text, fullAccount) || !mayGive && !isNothing(r, asked) {
			much = append(much, text)
		}
	}
	return much
}

// isNothing says whether a result is none, but for what was asked.
func isNothing(r reflect.Value, asked map[string]bool) bool {
	switch r.Kind() {
	case reflect.Slice, reflect.Map:
		return r.Len() == 0
	case reflect.String:
		return r.Len() == 0 || asked[r.String()]
	case reflect.Struct:
		for i := range r.NumField() {
			if !isNothing(r.Field(i), asked) {
				return false
			}
		}
		return true
	}
	return r.IsZero()
}

// ofFullAccount are the rows of the full account.
func ofFullAccount(t *testing.T, tx *store.Tx) map[string]bool {
	t.Helper()
	all, err := tx.Dump()
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for table, lines := range all {
		for _, line := range lines {
			if strings.Contains(line, fullAccount) {
				rows[table+" "+line] = true
			}
		}
	}
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
