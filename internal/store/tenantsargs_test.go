package store_test

import (
	"fmt"
	"reflect"
	"time"

	"rollcall/internal/store"
)

// accountOf says which argument of a method is the account's number, or a row
// of it; 0 for none.
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

// kinds holds all values of the types that name a kind of thing.
var kinds = map[reflect.Type][]any{
	reflect.TypeFor[store.Entity](): {store.UserEntity, store.GroupEntity, store.RoleEntity},
	reflect.TypeFor[store.TagsOf](): {store.UserTags, store.RoleTags, store.PolicyTags, store.MFADeviceTags,
		store.InstanceProfileTags, store.OIDCProviderTags, store.SAMLProviderTags, store.ServerCertificateTags},
	reflect.TypeFor[store.FactKind](): {store.KeyFacts, store.DeviceFacts, store.TagFacts, store.SSHKeyFacts,
		store.ServiceCredentialFacts},
	reflect.TypeFor[store.CredentialKind](): {store.AccessKeyCredential, store.SigningCertificateCredential,
		store.SSHPublicKeyCredential,
		store.ServiceSpecificCredential},
}

// given holds the keys of the rows. Each is tried for all texts that are not
// names, and with each of names.
var (
	given = []string{"bill", "x", "", "=1+1", "AKIA1", "arn:a", "arn:b", "C1", "APKA1", "ACCA1", "arn", "policy_arn",
		"client_id", "key_id", "job_id",
		"task_id", "name", "tag_key", "key_fold", "K", "größe", "AccessKeysPerUser", "principal_id", "AIDA1",
		"codecommit", "group_id", "role_id",
		"policy_id/7/7", "example", "arn:now"}
	givenNames = []string{"bill", "x", "y", "", "arn:b", "arn", "policy_arn"}
)

// argumentsOf returns lists of arguments for a method, for the account that
// asks.
func argumentsOf(m reflect.Type) (lists [][]reflect.Value) {
	of := kinds[m.In(1)]
	if of == nil {
		of = []any{nil}
	}
	tried := map[string]bool{}
	for _, kind := range of {
		for _, text := range given {
			for _, name := range append([]string{text}, givenNames...) {
				for _, n := range []int64{7, 2, 3} {
					args := argumentsWith(m, kind, text, name, n)
					if told := toldOf(args); !tried[told] {
						tried[told] = true
						lists = append(lists, args)
					}
				}
			}
		}
	}
	return lists
}

// toldOf describes arguments.
func toldOf(args []reflect.Value) string {
	var all []any
	for _, a := range args[1:] {
		all = append(all, a.Interface())
	}
	return fmt.Sprintf("%+v", all)
}

// argumentsWith returns arguments for a method, except its receiver. The name
// follows the account.
func argumentsWith(m reflect.Type, kind any, text, name string, n int64) []reflect.Value {
	first := accountOf(m)
	args := []reflect.Value{{}}
	for i := 1; i < m.NumIn(); i++ {
		v := reflect.New(m.In(i)).Elem()
		switch {
		case i == 1 && kind != nil:
			v.Set(reflect.ValueOf(kind))
		case i == first && v.Kind() == reflect.String:
			v.SetString(askingAccount)
		case i == first+1:
			fillIn(v, name, name, n)
		default:
			fillIn(v, text, name, n)
		}
		args = append(args, v)
	}
	return args
}

// fillIn fills an argument: rows belong to the account that asks, and their key
// is the name.
func fillIn(v reflect.Value, text, name string, n int64) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Int:
		v.SetInt(n)
	case reflect.Int64:
		if v.Type() == reflect.TypeFor[time.Duration]() {
			n *= int64(time.Second)
		}
		v.SetInt(n)
	case reflect.Bool:
		v.SetBool(n != 2)
	case reflect.Slice:
		switch v.Type().Elem().Kind() {
		case reflect.Uint8:
			v.SetBytes([]byte{1})
		case reflect.String:
			v.Set(reflect.ValueOf([]string{text}))
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Unix(1<<33, 0)))
			return
		}
		for i := range v.NumField() {
			switch f := v.Type().Field(i); {
			case f.Name == "Account":
				v.Field(i).SetString(askingAccount)
			case f.Name == "NameKey":
				v.Field(i).SetString(name)
			case f.IsExported():
				fillIn(v.Field(i), text, name, n)
			}
		}
	}
}
