package audit

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
)

// factTypes describes the objects to CEL. The registry describes everything
// else.
type factTypes struct {
	*types.Registry
	fields map[string]map[string]*types.FieldType
}

// newFactTypes returns the types of a scope. Most facts about the account are known
// only after its last row, and so only in the scope of the account.
func newFactTypes(scope Scope) (*factTypes, error) {
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, err
	}
	t := &factTypes{registry, map[string]map[string]*types.FieldType{}}
	for name, facts := range factsOf {
		t.fields[name] = map[string]*types.FieldType{}
		for i := range facts {
			f := &facts[i]
			if name == "account" && scope != ScopeAccount && f.name != "id" && f.name != "partition" {
				continue
			}
			t.fields[name][f.name] = &types.FieldType{
				Type:  f.kind,
				IsSet: func(target any) bool { return f.get(target.(*object)) != nil },
				GetFrom: func(target any) (any, error) {
					o := target.(*object)
					if v := f.get(o); v != nil {
						return v, nil
					}
					return nil, &absent{f.unknownIn(o)}
				},
			}
		}
	}
	return t, nil
}

// variable returns the name of the variables of one of our types, otherwise "".
func variable(typeName string) string {
	name, ours := strings.CutPrefix(typeName, typePrefix)
	if !ours {
		return ""
	}
	return name
}

// FindStructType implements types.Provider.
func (t *factTypes) FindStructType(name string) (*types.Type, bool) {
	if kind, ok := objectTypes[variable(name)]; ok {
		return types.NewTypeTypeWithParam(kind), true
	}
	return t.Registry.FindStructType(name)
}

// FindStructFieldNames implements types.Provider.
func (t *factTypes) FindStructFieldNames(name string) ([]string, bool) {
	facts, ok := factsOf[variable(name)]
	if !ok {
		return t.Registry.FindStructFieldNames(name)
	}
	var names []string
	for i := range facts {
		names = append(names, facts[i].name)
	}
	return names, true
}

// FindStructFieldType implements types.Provider.
func (t *factTypes) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	if fields, ok := t.fields[variable(name)]; ok {
		f, ok := fields[field]
		return f, ok
	}
	return t.Registry.FindStructFieldType(name, field)
}

// ConvertToNative implements ref.Val.
func (o *object) ConvertToNative(to reflect.Type) (any, error) {
	return nil, fmt.Errorf("a %s is no %s", o.kind, to)
}

// ConvertToType implements ref.Val.
func (o *object) ConvertToType(to ref.Type) ref.Val {
	if to == types.TypeType {
		return o.kind
	}
	return types.NewErr("a %s is no %s", o.kind, to)
}

// Equal implements ref.Val.
func (o *object) Equal(other ref.Val) ref.Val {
	p, ok := other.(*object)
	return types.Bool(ok && o.kind == p.kind && o.at == p.at)
}

// Type implements ref.Val.
func (o *object) Type() ref.Type { return o.kind }

// Value implements ref.Val.
func (o *object) Value() any { return o }
