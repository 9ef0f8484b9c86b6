package awsquery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"rollcall/internal/awsmodel"
)

// JSON11ContentType is the Content-Type of requests and answers in the AWS JSON 1.1
// protocol, which Organizations speaks.
const JSON11ContentType = "application/x-amz-json-1.1"

// DecodeJSON11 fills the input of an operation from a body in the AWS JSON 1.1
// protocol. It ignores members that the operation does not have, as AWS does. A
// body that cannot be read is a SerializationException: one that is not exactly one
// object in UTF-8, that has a member twice, or whose members have other types. The
// texts are ours (G) and repeat no value.
func (op Operation) DecodeJSON11(body []byte, in any) *awsmodel.Error {
	if !utf8.Valid(body) {
		return unreadable("the body is not UTF-8")
	}
	from := json.NewDecoder(bytes.NewReader(body))
	if t, err := from.Token(); err != nil || t != json.Delim('{') {
		return unreadable("the body is not a JSON object")
	}
	top, plan, seen := reflect.ValueOf(in).Elem(), op.planned(), map[string]bool{}
	for from.More() {
		t, err := from.Token()
		if err != nil {
			return unreadable("the body is not JSON")
		}
		name, _ := t.(string) // a decoder gives no other keys
		if seen[name] {
			return unreadable("member " + shorten(name) + " is given more than once")
		}
		seen[name] = true
		var value json.RawMessage
		if err := from.Decode(&value); err != nil {
			return unreadable("the body is not JSON")
		}
		for i := range plan.in.fields {
			f := &plan.in.fields[i]
			if f.name != name || string(value) == "null" {
				continue
			}
			if err := setJSON(f.node, top.Field(f.index), value); err != nil {
				return unreadable("member " + name + " " + err.Error())
			}
		}
	}
	if _, err := from.Token(); err != nil { // the closing brace
		return unreadable("the body is not JSON")
	}
	if _, err := from.Token(); !errors.Is(err, io.EOF) {
		return unreadable("the body continues after its object")
	}
	return nil
}

func unreadable(why string) *awsmodel.Error {
	return awsmodel.Fail("SerializationException", "Cannot read the request: %s.", why)
}

// setJSON stores a member of an input. Inputs in this protocol have texts and
// numbers alone.
func setJSON(n *node, v reflect.Value, value json.RawMessage) error {
	if n.pointer {
		v.Set(reflect.New(n.typ))
		v = v.Elem()
	}
	switch n.kind {
	case text:
		var s string
		if err := json.Unmarshal(value, &s); err != nil {
			return errors.New("must be a string")
		}
		v.SetString(s)
		return nil
	case integer:
		number, err := strconv.ParseInt(string(value), 10, n.bits)
		if err != nil {
			return errors.New("must be an integer")
		}
		v.SetInt(number)
		return nil
	}
	return errors.New("cannot be read")
}

// checkJSON11 says whether DecodeJSON11 can read an input.
func (p *plan) checkJSON11() error {
	for i := range p.in.fields {
		if k := p.in.fields[i].node.kind; k != text && k != integer {
			return fmt.Errorf("member %s cannot be read from JSON", p.in.fields[i].name)
		}
	}
	return nil
}

// EncodeJSON11 writes the answer of an operation in the AWS JSON 1.1 protocol.
// Absent members are left out, and times are seconds since 1970.
func (op Operation) EncodeJSON11(out any) (*Response, error) {
	p := op.planned()
	v := reflect.Zero(p.out.typ)
	if out != nil {
		v = reflect.ValueOf(out).Elem()
	}
	if v.Type() != p.out.typ {
		return nil, fmt.Errorf("encode %s: output is a %T", op.Name, out)
	}
	answer, _ := present(jsonValue(p.out, v)).(map[string]any)
	return json11Response(http.StatusOK, answer), nil
}

// present removes what is absent from a value of jsonValue.
func present(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			if member == nil {
				delete(v, name)
				continue
			}
			present(member)
		}
	case []any:
		for _, element := range v {
			present(element)
		}
	}
	return v
}

func json11Response(status int, answer map[string]any) *Response {
	r := jsonResponse(status, answer)
	r.ContentType = JSON11ContentType
	return r
}

// EncodeErrorJSON11 writes the answer to a failed call in the AWS JSON 1.1 protocol,
// and returns the name of the error for the header X-Amzn-Errortype.
func EncodeErrorJSON11(err *awsmodel.Error) (response *Response, name string) {
	name = json11Name(err.Code)
	answer := map[string]any{"__type": name}
	if err.Message != "" {
		answer["Message"] = err.Message
	}
	if err.Reason != "" {
		answer["Reason"] = err.Reason
	}
	status := err.Status()
	if status == http.StatusForbidden {
		status = http.StatusBadRequest
	}
	return json11Response(status, answer), name
}

// json11Names maps the error codes that every door of the API answers to those of
// the JSON protocol. Source: the page "Common errors" of Organizations.
var json11Names = map[string]string{
	"InternalFailure":       "ServiceException",
	"InvalidAction":         "UnknownOperationException",
	"InvalidClientTokenId":  "UnrecognizedClientException",
	"MalformedInput":        "SerializationException",
	"MalformedQueryString":  "SerializationException",
	"ServiceFailure":        "ServiceException",
	"SignatureDoesNotMatch": "InvalidSignatureException",
	"Throttling":            "TooManyRequestsException",
	"ValidationError":       "InvalidInputException",
}

func json11Name(code string) string {
	switch name := json11Names[code]; {
	case name != "":
		return name
	case strings.HasSuffix(code, "Exception"):
		return code
	}
	return code + "Exception"
}
