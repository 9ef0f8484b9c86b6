package api

import (
	"fmt"
	"reflect"
	"strings"

	"rollcall/internal/access"
	"rollcall/internal/store"
)

// textMember is a member of an input structure that holds a text: the index of
// its field, -1 for no member, which is always "".
type textMember int

// findText finds a text of an input structure by its name. The name "" means no
// member.
func findText(in reflect.Type, name string) (textMember, error) {
	if name == "" {
		return -1, nil
	}
	f, ok := in.FieldByName(name)
	if !ok || !f.IsExported() {
		return -1, fmt.Errorf("%s has no member %s", in, name)
	}
	if kind := f.Type.Kind(); kind != reflect.String && (kind != reflect.Pointer ||
		f.Type.Elem().Kind() != reflect.String) {
		return -1, fmt.Errorf("member %s of %s is not a text", name, in)
	}
	return textMember(f.Index[0]), nil
}

// of reads the member of an input, "" if it is not set.
func (m textMember) of(in any) string {
	if m < 0 {
		return ""
	}
	f := reflect.ValueOf(in).Elem().Field(int(m))
	if f.Kind() == reflect.String { // an enum
		return f.String()
	}
	if f.IsNil() {
		return ""
	}
	return f.Elem().String()
}

// keysOf reads condition keys of an input. It returns nil if there are none.
type keysOf []boundKey

type boundKey struct {
	name   string // lower-case
	values func(in any) []string
}

func (k keysOf) of(in any) access.Keys {
	if len(k) == 0 {
		return nil
	}
	return func(key string) []string {
		for i := range k {
			if k[i].name == key {
				return k[i].values(in)
			}
		}
		return nil
	}
}

// Key is a condition key that an input gives.
type Key struct {
	name string // as AWS spells it: iam:PolicyARN
	bind func(in reflect.Type) (func(in any) []string, error)
}

// Member returns the condition key of a text of the input, if that is set.
func Member(key, member string) Key {
	return Key{key, func(t reflect.Type) (func(in any) []string, error) {
		m, err := findText(t, member)
		return func(in any) []string {
			if v := m.of(in); v != "" {
				return []string{v}
			}
			return nil
		}, err
	}}
}

// Values returns a condition key whose values are computed from the input.
func Values[I any](key string, values func(in *I) []string) Key {
	return Key{key, func(t reflect.Type) (func(in any) []string, error) {
		return func(in any) []string { return values(in.(*I)) }, same[I](t)
	}}
}

func bindKeys(in reflect.Type, keys []Key) (keysOf, error) {
	bound := make(keysOf, len(keys))
	for i, k := range keys {
		values, err := k.bind(in)
		if err != nil {
			return nil, fmt.Errorf("condition key %s: %w", k.name, err)
		}
		bound[i] = boundKey{strings.ToLower(k.name), values}
	}
	return bound, nil
}

// requestMembers are the members of an action's input that set or remove tags.
type requestMembers struct {
	tags       []int // index of Tags; nil for none
	key, value textMember
	tagKeys    []int
}

func requestMembersOf(in reflect.Type) (m requestMembers) {
	if f, ok := in.FieldByName("Tags"); ok && f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct {
		key, noKey := findText(f.Type.Elem(), "Key")
		value, noValue := findText(f.Type.Elem(), "Value")
		if noKey == nil && noValue == nil {
			m.tags, m.key, m.value = f.Index, key, value
		}
	}
	if f, ok := in.FieldByName("TagKeys"); ok && f.Type == reflect.TypeFor[[]string]() {
		m.tagKeys = f.Index
	}
	return m
}

// tagsOf returns the tags that an input sets.
func (m *requestMembers) tagsOf(in any) []store.Tag {
	if m.tags == nil {
		return nil
	}
	list := reflect.ValueOf(in).Elem().FieldByIndex(m.tags)
	var tags []store.Tag
	for i := range list.Len() {
		t := list.Index(i).Addr().Interface()
		key := m.key.of(t)
		tags = append(tags, store.Tag{Fold: strings.ToLower(key), Key: key, Value: m.value.of(t)})
	}
	return tags
}

// removed returns the keys of the tags that an input removes.
func (m *requestMembers) removed(in any) []string {
	if m.tagKeys == nil {
		return nil
	}
	keys, _ := reflect.ValueOf(in).Elem().FieldByIndex(m.tagKeys).Interface().([]string)
	return keys
}

// maxDepth ends the search in recursive types.
const maxDepth = 8

// memberPath finds a member of a type by its name, at any depth, and returns
// its position in awsmodel's form: "tags.key".
func memberPath(t reflect.Type, name string, depth int) (path string, ok bool) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || depth > maxDepth {
		return "", false
	}
	for i := range t.NumField() {
		f := t.Field(i)
		if f.IsExported() && f.Name == name {
			return name, true
		}
	}
	for i := range t.NumField() {
		if f := t.Field(i); f.IsExported() {
			if rest, ok := memberPath(f.Type, name, depth+1); ok {
				return f.Name + "." + rest, true
			}
		}
	}
	return "", false
}
