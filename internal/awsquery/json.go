package awsquery

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"time"

	"rollcall/internal/awsmodel"
)

// JSONContentType is the Content-Type of an answer in JSON.
const JSONContentType = "application/json"

// EncodeJSON returns the answer of an operation in JSON, as STS does for a client that accepts only
// JSON (recorded-2026 R4.6):
//
//	{"GetCallerIdentityResponse":{"GetCallerIdentityResult":{…},"ResponseMetadata":{"RequestId":"…"}}}
//
// Members are in the order of their names. Absent members are null, and times are seconds since
// 1970, as clients have quoted such answers. It fails in the same cases as Encode, and for an
// output with a stream.
func (op Operation) EncodeJSON(out any, requestID string) (*Response, error) {
	answer := map[string]any{"ResponseMetadata": map[string]any{"RequestId": requestID}}
	p := op.planned()
	if p.hasOutput {
		v := reflect.Zero(p.out.typ)
		if out != nil {
			v = reflect.ValueOf(out).Elem()
		}
		if v.Type() != p.out.typ {
			return nil, fmt.Errorf("encode %s: output is a %T", op.Name, out)
		}
		if p.out.holds(stream) {
			return nil, fmt.Errorf("encode %s: a stream in JSON", op.Name)
		}
		answer[op.Name+"Result"] = jsonValue(p.out, v)
	}
	return jsonResponse(http.StatusOK, map[string]any{op.Name + "Response": answer}), nil
}

// EncodeErrorJSON returns the answer to a failed call in JSON. An error without
// a message has null in its place.
func EncodeErrorJSON(err *awsmodel.Error, requestID string) *Response {
	refused := map[string]any{"Type": err.Fault(), "Code": err.Code, "Message": nil}
	if err.Message != "" {
		refused["Message"] = err.Message
	}
	return jsonResponse(err.Status(), map[string]any{"Error": refused, "RequestId": requestID})
}

func jsonResponse(status int, answer map[string]any) *Response {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	// Maps with texts as keys, and results of jsonValue, can be encoded.
	_ = e.Encode(answer)
	return &Response{Status: status, ContentType: JSONContentType, text: bytes.TrimSuffix(b.Bytes(), []byte("\n"))}
}

// jsonValue returns a value for encoding/json, which writes maps in the order
// of their keys; nil if it is absent.
func jsonValue(n *node, v reflect.Value) any {
	if n.pointer {
		if v.IsNil() {
			return nil
		}
		v = v.Elem()
	}
	switch n.kind {
	case structure:
		return jsonStructure(n, v)
	case union:
		return jsonUnion(n, v)
	case list:
		if v.IsNil() && !n.always {
			return nil
		}
		all := []any{}
		for i := range v.Len() {
			all = append(all, jsonValue(n.elem, v.Index(i)))
		}
		return all
	case dict:
		if v.IsNil() {
			return nil
		}
		all := map[string]any{}
		for entry := v.MapRange(); entry.Next(); {
			all[entry.Key().String()] = jsonValue(n.elem, entry.Value())
		}
		return all
	}
	return jsonScalar(n, v)
}

func jsonStructure(n *node, v reflect.Value) any {
	all := map[string]any{}
	for i := range n.fields {
		f := &n.fields[i]
		all[f.name] = jsonValue(f.node, v.Field(f.index))
	}
	return all
}

// jsonUnion returns the member that a union has.
func jsonUnion(n *node, v reflect.Value) any {
	if v.IsNil() {
		return nil
	}
	all := map[string]any{}
	for i := range n.fields {
		if f := &n.fields[i]; v.Elem().Type() == f.variant {
			all[f.name] = jsonValue(f.node, v.Elem().Elem().Field(f.index))
		}
	}
	return all
}

func jsonScalar(n *node, v reflect.Value) any {
	switch n.kind {
	case integer:
		return v.Int()
	case boolean:
		return v.Bool()
	case timestamp:
		return v.Interface().(time.Time).Unix()
	case blob:
		if v.IsNil() {
			return nil
		}
		return base64.StdEncoding.EncodeToString(v.Bytes())
	}
	// An enumerated text that is empty is absent, as in XML.
	if v.Len() == 0 && !n.pointer && n.typ.Name() != "string" {
		return nil
	}
	return v.String()
}
