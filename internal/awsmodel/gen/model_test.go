package main

import (
	"strings"
	"testing"
)

const small = `{
 "metadata": {"apiVersion": "1", "xmlNamespace": "https://example.com/"},
 "operations": {
  "Put": {"name": "Put", "input": {"shape": "PutRequest"}},
  "Get": {"name": "Get", "output": {"shape": "GetResponse"}}
 },
 "shapes": {
  "PutRequest": {"type": "structure", "required": ["Name"], "members": {"Zone": {"shape": "zone"}, "Name": {"shape": "name", "documentation": "prose"}}},
  "GetResponse": {"type": "structure", "members": {"Names": {"shape": "names"}, "Sizes": {"shape": "sizes"}}},
  "name": {"type": "string", "min": 1, "max": 1.0E+2, "pattern": "[ -~]+", "documentation": "prose"},
  "zone": {"type": "string", "enum": ["a", "b"], "sensitive": true},
  "names": {"type": "list", "member": {"shape": "name"}, "max": 5},
  "sizes": {"type": "map", "key": {"shape": "name"}, "value": {"shape": "size"}},
  "size": {"type": "integer", "min": 0},
  "unused": {"type": "string"},
  "Gone": {"type": "structure", "members": {}, "exception": true, "error": {"code": "IsGone", "httpStatusCode": 410}},
  "Odd": {"type": "structure", "members": {}, "exception": true}
 }
}`

const written = `service test 1 https://example.com/
op Get - GetResponse
op Put PutRequest -
error IsGone 410 Gone
error Odd 400 Odd
structure GetResponse Names:names Sizes:sizes
structure PutRequest Zone:zone Name!name
string name 1..100 /[ -~]+
list names ..5 name
integer size 0..
map sizes name size
string zone sensitive {a|b}
`

func TestWrite(t *testing.T) {
	m, err := decodeModel(strings.NewReader(small))
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	if err := m.write(&got, "test"); err != nil {
		t.Fatal(err)
	}
	if got.String() != written {
		t.Errorf("got\n%s\nwant\n%s", got.String(), written)
	}
}

func TestAdd(t *testing.T) {
	for name, test := range map[string]struct{ newer, want string }{
		"a member": {
			`{"shapes": {"PutRequest": {"type": "structure", "required": ["Size"], "members": {"Size": {"shape": ` +
				`"size"}}}}}`, "structure PutRequest Zone:zone Name!name Size!size\n"},
		"an operation": {`{"operations": {"Pop": {"name": "Pop"}}}`, "op Pop - -\n"},
		"a value":      {`{"shapes": {"zone": {"type": "string", "enum": ["c"]}}}`, "{a|b|c}\n"},
		"a known member": {
			`{"shapes": {"PutRequest": {"type": "structure", "members": {"Name": {"shape": "name"}}}}}`, ""},
		"a known operation": {`{"operations": {"Put": {"name": "Put"}}}`, ""},
		"a known value":     {`{"shapes": {"zone": {"type": "string", "enum": ["a"]}}}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := decodeModel(strings.NewReader(small))
			if err != nil {
				t.Fatal(err)
			}
			newer, err := decodeModel(strings.NewReader(test.newer))
			if err != nil {
				t.Fatal(err)
			}
			err = m.add(newer)
			if test.want == "" {
				if err == nil {
					t.Error("added what is known")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			if err := m.write(&got, "test"); err != nil || !strings.Contains(got.String(), test.want) {
				t.Errorf("no %q in\n%s\n%v", test.want, got.String(), err)
			}
		})
	}
}

func TestWriteRefusesUnknownTraits(t *testing.T) {
	m, err := decodeModel(
		strings.NewReader(
			strings.Replace(small, `"Names": {"shape": "names"}`,
				`"Names": {"shape": "names", "locationName": "names"}`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	if err := m.write(new(strings.Builder), "test"); err == nil {
		t.Error("wrote a renamed member as if it were not")
	}
}
