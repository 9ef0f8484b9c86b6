package audit

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// checkShape returns an error that names the line and the key of each value in a
// file that is not of the kind that a type needs. The YAML package's own errors name
// types of Go, and it takes 45.9 for a whole number.
func checkShape(text []byte, t reflect.Type) error {
	var document yaml.Node
	if yaml.Unmarshal(text, &document) != nil || len(document.Content) != 1 {
		return nil //nolint:nilerr // decoding says what is wrong
	}
	var errs []error
	compareShape(document.Content[0], t, "the file", func(node *yaml.Node, key, kind string) {
		errs = append(errs, fmt.Errorf("line %d: %s must be %s", node.Line, key, kind))
	})
	return errors.Join(errs...)
}

// compareShape calls wrong for each value of the wrong kind within a node.
func compareShape(node *yaml.Node, t reflect.Type, key string, wrong func(node *yaml.Node, key, kind string)) {
	if node.Kind == yaml.AliasNode || node.ShortTag() == "!!null" || t == reflect.TypeFor[yaml.Node]() {
		return
	}
	switch fields := fieldsOf(t); {
	case fields != nil && node.Kind != yaml.MappingNode:
		wrong(node, key, "keys with values")
	case fields != nil:
		for i := 0; i+1 < len(node.Content); i += 2 {
			if field, ok := fields[node.Content[i].Value]; ok {
				compareShape(node.Content[i+1], field, node.Content[i].Value, wrong)
			}
		}
	case t.Kind() == reflect.Slice && node.Kind != yaml.SequenceNode:
		wrong(node, key, "a list")
	case t.Kind() == reflect.Slice:
		for _, item := range node.Content {
			if item.ShortTag() == "!!null" { // it would be an item of zero values, or none
				wrong(item, "an item of "+key, "given")
			}
			compareShape(item, t.Elem(), "an item of "+key, wrong)
		}
	case t.Kind() == reflect.Map && node.Kind != yaml.MappingNode:
		wrong(node, key, "keys with values")
	case t.Kind() == reflect.Map:
		for i := 0; i+1 < len(node.Content); i += 2 {
			compareShape(node.Content[i+1], t.Elem(), node.Content[i].Value, wrong)
		}
	default:
		if kind := scalarShape(node, t); kind != "" {
			wrong(node, key, kind)
		}
	}
}

// fieldsOf returns the types of the keys that a struct is read from, nil for other
// types.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	if t.Kind() != reflect.Struct {
		return nil
	}
	var fields map[string]reflect.Type
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if name == "" {
			continue
		}
		if fields == nil {
			fields = map[string]reflect.Type{}
		}
		fields[name] = f.Type
	}
	return fields
}

// words that the YAML package also takes for true and false.
var otherBools = []string{"y", "Y", "yes", "on", "n", "N", "no", "off"}

// scalarShape returns the kind that a value must be and is not, otherwise "".
func scalarShape(node *yaml.Node, t reflect.Type) string {
	tag := node.ShortTag()
	switch {
	case t.Kind() == reflect.Bool && tag != "!!bool" && !slices.Contains(otherBools, node.Value):
		return "true or false"
	case t.Kind() == reflect.Int && tag != "!!int":
		return "a whole number"
	case t == reflect.TypeFor[time.Time]() && tag != "!!timestamp":
		return "a time such as 2026-01-01T00:00:00Z"
	case node.Kind != yaml.ScalarNode:
		return "a text"
	}
	return ""
}
