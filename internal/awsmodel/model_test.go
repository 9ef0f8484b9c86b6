package awsmodel

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// operationsOf returns the methods of an SDK client that are operations.
func operationsOf(client any) []reflect.Method {
	var found []reflect.Method
	for method := range reflect.TypeOf(client).Methods() {
		if method.Type.NumIn() == 4 && method.Type.NumOut() == 2 {
			found = append(found, method)
		}
	}
	return found
}

func TestModelAgreesWithSDK(t *testing.T) {
	for service, client := range map[string]any{"iam": &iam.Client{}, "sts": &sts.Client{}} {
		methods := operationsOf(client)
		if got := len(Operations(service)); got != len(methods) {
			t.Errorf("%s: model has %d operations, SDK %d", service, got, len(methods))
		}
		for _, method := range methods {
			op, ok := Lookup(method.Name)
			if !ok || op.Service.Name != service {
				t.Errorf("%s.%s is not in the model", service, method.Name)
				continue
			}
			agree(t, op.Name, op.Input, method.Type.In(2).Elem())
			agree(t, op.Name, op.Output, method.Type.Out(0).Elem())
			if op.Input != nil {
				newChecker(op.Input, method.Type.In(2).Elem()) // panics if it cannot be planned
			}
		}
	}
}

// agree compares a shape with a Go type: the same members, of the same kinds,
// with the same enumerated values.
func agree(t *testing.T, at string, s *Shape, typ reflect.Type) {
	t.Helper()
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	if s == nil {
		s = &Shape{Kind: Structure}
	}
	kind := map[reflect.Kind]Kind{
		reflect.Struct: Structure, reflect.Interface: Structure, reflect.Map: Map, reflect.String: String,
		reflect.Int32: Integer, reflect.Bool: Boolean, reflect.Slice: List,
	}[typ.Kind()]
	switch typ {
	case reflect.TypeFor[time.Time]():
		kind = Timestamp
	case reflect.TypeFor[[]byte]():
		kind = Blob
	}
	if kind != s.Kind {
		t.Errorf("%s: model says kind %d, SDK %s", at, s.Kind, typ)
		return
	}
	switch {
	case kind == List || kind == Map:
		agree(t, at+"[]", s.Elem, typ.Elem())
	case s.Union:
		for _, m := range s.Members {
			value, _ := Variant(typ, m.Name).Elem().FieldByName("Value")
			agree(t, at+"."+m.Name, m.Shape, value.Type)
		}
	case kind == Structure:
		agreeMembers(t, at, s, typ)
	case kind == String && typ.Name() != "string":
		values := reflect.Zero(typ).MethodByName("Values").Call(nil)[0]
		var names []string
		for i := range values.Len() {
			names = append(names, values.Index(i).String())
		}
		if strings.Join(names, " ") != strings.Join(s.Enum, " ") {
			t.Errorf("%s: model has values %v, SDK %v", at, s.Enum, names)
		}
	}
}

func agreeMembers(t *testing.T, at string, s *Shape, typ reflect.Type) {
	left := map[string]bool{}
	for field := range typ.Fields() {
		if field.IsExported() && field.Name != "ResultMetadata" {
			left[field.Name] = true
		}
	}
	for _, m := range s.Members {
		field, ok := typ.FieldByName(m.Field())
		if !ok {
			t.Errorf("%s: SDK lacks %s", at, m.Name)
			continue
		}
		delete(left, m.Field())
		agree(t, at+"."+m.Name, m.Shape, field.Type)
	}
	if len(left) > 0 {
		t.Errorf("%s: model lacks %v", at, left)
	}
}

func TestPatternsCompile(t *testing.T) {
	seen := map[string]bool{}
	for line := range strings.Lines(modelText) {
		if _, pattern, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " /"); ok &&
			!strings.HasPrefix(line, "service") {
			seen[pattern] = true
			compile(pattern) // panics
		}
	}
	if len(seen) < 30 {
		t.Errorf("only %d patterns found", len(seen))
	}
}

func TestCharacterSet(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{`[\w+=,.@-]+`, "a_Z9+=,.@-", true},
		{`[\w+=,.@-]+`, "", false},
		{`[\w+=,.@-]*`, "", true},
		{`[\w]+`, "a\n", false},
		{`[\u0009\u000A\u000D\u0020-\u00FF]+`, "\t\n\r ÿ", true},
		{`[\u0009\u000A\u000D\u0020-\u00FF]+`, "Ā", false},
		{`[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, "É 日本 ٣\u00a0", true},
		{`[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, "a\tb", false},
		{`[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, "a*b", false},
	} {
		match := characterSet(goSyntax(test.pattern))
		if match == nil {
			t.Fatalf("%s is not taken for a set of characters", test.pattern)
		}
		if got := match(test.text); got != test.want {
			t.Errorf("%s on %q: got %v", test.pattern, test.text, got)
		}
	}
	for _, pattern := range []string{`v[1-9][0-9]*(\.[A-Za-z0-9-]*)?`, `\d{12}`, `^[a-zA-Z0-9:_.-]+$`} {
		if characterSet(pattern) != nil {
			t.Errorf("%s is taken for a set of characters", pattern)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"a shape before any service":    "string a\n",
		"an unknown kind":               "service iam 1 n\nfloat a\n",
		"a shape not defined":           "service iam 1 n\nlist a b\n",
		"a shape defined twice":         "service iam 1 n\nstring a\nstring a\n",
		"an operation twice":            "service iam 1 n\nop A - -\nop A - -\n",
		"a bound that is not a number":  "service iam 1 n\nstring a x..2\n",
		"a status that is not a number": "service iam 1 n\nerror A x\n",
		"a word too many":               "service iam 1 n\nstring a b\n",
	} {
		if _, err := parse(text); err == nil {
			t.Errorf("%s: read without an error", name)
		}
	}
}

func TestOperations(t *testing.T) {
	if got := Operations("s3"); got != nil {
		t.Errorf("operations of s3: %d", len(got))
	}
	for name, want := range map[string]bool{"CreateUser": true, "DeleteUser": false, "UpdateRole": true,
		"PutAccountProperties": true, "GetCallerIdentity": true} {
		op, ok := Lookup(name)
		if !ok || op.HasOutput() != want {
			t.Errorf("%s: found %v, has output %v", name, ok, op.HasOutput())
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := parse(modelText); err != nil {
			b.Fatal(err)
		}
	}
}
