package awsquery_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
	"rollcall/internal/sdkhttp"
)

// unexported ignores the SDK's marker fields and its additions to outputs.
var unexported = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	return ok && (field.Name() == "noSmithyDocumentSerde" || field.Name() == "ResultMetadata")
}, cmp.Ignore())

// filler fills structures with values that are all different. With empty it
// fills in values that are present and empty.
type filler struct {
	count int
	empty bool
}

func (f *filler) fill(v reflect.Value) {
	f.count++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2020, 1, 1, 0, 0, f.count, 0, time.UTC)))
		return
	case v.Type() == reflect.TypeFor[[]byte]():
		if !f.empty {
			v.SetBytes(fmt.Appendf(nil, "blob\x00\xff%d", f.count))
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		f.fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() && field.Name != "ResultMetadata" {
				f.fill(v.Field(i))
			}
		}
	case reflect.Slice:
		length := 2
		if f.empty {
			length = 0
		}
		v.Set(reflect.MakeSlice(v.Type(), length, length))
		for i := range length {
			f.fill(v.Index(i))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for i := range 2 {
			if f.empty {
				break
			}
			elem := reflect.New(v.Type().Elem()).Elem()
			f.fill(elem)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprintf("key %d", i)), elem)
		}
	case reflect.Interface: // the union
		members := []string{"PolicyType", "PolicyArn", "InlinePolicyIdentifier"}
		variant := reflect.New(awsmodel.Variant(v.Type(), members[f.count%len(members)]).Elem())
		f.fill(variant.Elem())
		v.Set(variant)
	case reflect.String:
		f.fillString(v)
	case reflect.Bool:
		v.SetBool(!f.empty)
	case reflect.Int32:
		v.SetInt(int64(f.count))
	default:
		panic("cannot fill " + v.Type().String())
	}
}

func (f *filler) fillString(v reflect.Value) {
	if values := v.MethodByName("Values"); values.IsValid() {
		all := values.Call(nil)[0]
		v.Set(all.Index(f.count % all.Len())) // an empty one would be an absent one
	} else if !f.empty {
		v.SetString(fmt.Sprintf("text %d é&<>\"'\r\n+%%=;🙂", f.count))
	}
}

// echo answers every action: it keeps the input and returns the given output.
type echo struct {
	op  awsquery.Operation
	in  any
	out any
}

func (e *echo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	form, failure := awsquery.ParseForm(string(body))
	if failure == nil && form.Action() != e.op.Name {
		failure = awsmodel.Fail("InvalidAction", "%s is not %s", form.Action(), e.op.Name)
	}
	if failure == nil {
		failure = e.op.Decode(form, e.in)
	}
	if failure != nil {
		answer(w, awsquery.EncodeError(e.op.Service, failure, "id"))
		return
	}
	response, err := e.op.Encode(e.out, "id")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, response)
}

func answer(w http.ResponseWriter, r *awsquery.Response) {
	w.Header().Set("Content-Type", awsquery.ContentType)
	w.Header().Set("Content-Length", fmt.Sprint(r.Len()))
	w.WriteHeader(r.Status)
	if _, err := r.WriteTo(w); err != nil {
		panic(http.ErrAbortHandler)
	}
}

// operations lists the methods of an SDK client that are operations.
func operations(client any) []reflect.Method {
	var found []reflect.Method
	for method := range reflect.TypeOf(client).Methods() {
		if method.Type.NumIn() == 4 && method.Type.NumOut() == 2 {
			found = append(found, method)
		}
	}
	return found
}

// TestRoundTrip sends every operation of the SDK through its real client, with
// every member filled, and with every member present and empty.
func TestRoundTrip(t *testing.T) {
	server := new(echo)
	listener := httptest.NewServer(server)
	defer listener.Close()
	config := aws.Config{
		Region:       "us-east-1",
		BaseEndpoint: &listener.URL,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret"}, nil
		}),
		RetryMaxAttempts: 1,
		HTTPClient:       &http.Client{Transport: sdkhttp.Transport(listener.Client().Transport)},
	}
	count := 0
	for _, client := range []any{iam.NewFromConfig(config), sts.NewFromConfig(config)} {
		for _, method := range operations(client) {
			for _, empty := range []bool{false, true} {
				count++
				t.Run(fmt.Sprintf("%s/empty=%v", method.Name, empty), func(t *testing.T) {
					roundTrip(t, server, client, method, empty)
				})
			}
		}
	}
	if count != 2*(180+11) {
		t.Errorf("%d operations", count/2)
	}
}

func roundTrip(t *testing.T, server *echo, client any, method reflect.Method, empty bool) {
	inType, outType := method.Type.In(2).Elem(), method.Type.Out(0).Elem()
	op, err := awsquery.OperationOf(inType, outType)
	if err != nil {
		t.Fatal(err)
	}
	in, out, received := reflect.New(inType), reflect.New(outType), reflect.New(inType)
	f := &filler{empty: empty}
	f.fill(in.Elem())
	f.fill(out.Elem())
	server.op, server.in, server.out = op, received.Interface(), out.Interface()

	results := reflect.ValueOf(client).MethodByName(method.Name).Call(
		[]reflect.Value{reflect.ValueOf(context.Background()), in})
	if err, _ := results[1].Interface().(error); err != nil {
		t.Fatal(err)
	}
	options := cmp.Options{unexported}
	if empty {
		// The SDK sends nothing for an empty map and reads nothing into an
		// empty blob. The loss is its own.
		options = append(options, cmp.FilterValues(func(x, y any) bool {
			return unordered(x) && unordered(y)
		}, cmp.Ignore()))
	}
	if diff := cmp.Diff(in.Interface(), received.Interface(), options); diff != "" {
		t.Errorf("input: %s", diff)
	}
	if diff := cmp.Diff(out.Interface(), results[0].Interface(), options); diff != "" {
		t.Errorf("output: %s", diff)
	}
}

// unordered reports whether v is an empty map or blob.
func unordered(v any) bool {
	value := reflect.ValueOf(v)
	return value.IsValid() && (value.Kind() == reflect.Map || value.Type() == reflect.TypeFor[[]byte]()) &&
		value.Len() == 0
}

// TestRequestSnapshots decodes the requests in the SDK's own tests, and finds
// each of their parameters in the input.
func TestRequestSnapshots(t *testing.T) {
	for module, client := range map[string]any{"iam": &iam.Client{}, "sts": &sts.Client{}} {
		list := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-sdk-go-v2/service/"+module)
		dir, err := list.Output()
		if err != nil {
			t.Fatalf("find the SDK's module: %v", err)
		}
		for _, method := range operations(client) {
			t.Run(method.Name, func(t *testing.T) {
				file := filepath.Join(strings.TrimSpace(string(dir)), "request_snapshot", method.Name+".request.snap")
				snapshot, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				decodeSnapshot(t, method, string(snapshot))
			})
		}
	}
}

func decodeSnapshot(t *testing.T, method reflect.Method, snapshot string) {
	body := snapshot[strings.LastIndex(strings.TrimSpace(snapshot), "\n")+1:]
	form, failure := awsquery.ParseForm(strings.TrimSpace(body))
	if failure != nil {
		t.Fatal(failure)
	}
	op, err := awsquery.OperationOf(method.Type.In(2).Elem(), method.Type.Out(0).Elem())
	if err != nil {
		t.Fatal(err)
	}
	if form.Action() != op.Name || form.Version() != op.Version {
		t.Errorf("it is %s %s", form.Action(), form.Version())
	}
	in := reflect.New(method.Type.In(2).Elem())
	if failure := op.Decode(form, in.Interface()); failure != nil {
		t.Fatal(failure)
	}
	if got := leaves(in); got != form.Len()-2 { // Action and Version are not members
		t.Errorf("%d of %d parameters found in %+v", got, form.Len()-2, in)
	}
}

// leaves counts the values that have their own parameters.
func leaves(v reflect.Value) int {
	if v.Type() == reflect.TypeFor[time.Time]() || v.Type() == reflect.TypeFor[[]byte]() {
		return 1
	}
	count := 0
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			count = leaves(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				count += leaves(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			count += leaves(v.Index(i))
		}
	case reflect.Map:
		for entry := v.MapRange(); entry.Next(); {
			count += 1 + leaves(entry.Value())
		}
	default:
		if v.CanAddr() && !v.IsZero() || !v.CanAddr() {
			count = 1
		}
	}
	return count
}
