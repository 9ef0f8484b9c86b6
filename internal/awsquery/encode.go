package awsquery

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"

	"rollcall/internal/awsmodel"
)

// timeFormat has whole seconds and is always UTC: AWS is recorded to drop
// fractions (spec 4.1, "Dates out"). milliFormat is the format of milliMembers.
const timeFormat, milliFormat = "2006-01-02T15:04:05Z", "2006-01-02T15:04:05.000Z"

// milliMembers are the times, by their structures, that AWS returns with
// milliseconds. Recorded.
var milliMembers = map[string]bool{
	"GetServiceLastAccessedDetailsResponse.JobCreationDate":               true,
	"GetServiceLastAccessedDetailsResponse.JobCompletionDate":             true,
	"GetServiceLastAccessedDetailsWithEntitiesResponse.JobCreationDate":   true,
	"GetServiceLastAccessedDetailsWithEntitiesResponse.JobCompletionDate": true,
	"GetWebIdentityTokenResponse.Expiration":                              true,
	"GetOpenIDConnectProviderResponse.CreateDate":                         true,
	"GetSAMLProviderResponse.CreateDate":                                  true,
	"GetSAMLProviderResponse.ValidUntil":                                  true,
	"SAMLProviderListEntry.CreateDate":                                    true,
	"SAMLProviderListEntry.ValidUntil":                                    true,
	"SAMLPrivateKey.Timestamp":                                            true,
}

// faultNamespace is the namespace that AWS uses for InvalidAction instead of
// the service's.
const faultNamespace = "http://webservices.amazon.com/AWSFault/2005-15-09"

// Encode returns the answer of an operation. out is the result of Call; nil
// means an output without members. It fails only for an out of another type, or
// with a stream of negative size.
func (op Operation) Encode(out any, requestID string) (*Response, error) {
	e := encoder{buf: make([]byte, 0, 1024)}
	p := op.planned()
	e.open(op.Name+"Response", p.namespace)
	if p.hasOutput {
		v := reflect.Zero(p.out.typ)
		if out != nil {
			v = reflect.ValueOf(out).Elem()
		}
		if v.Type() != p.out.typ {
			return nil, fmt.Errorf("encode %s: output is a %T", op.Name, out)
		}
		e.structure(p.out, v, op.Name+"Result", 1)
	}
	if e.blob != nil && e.blob.Size < 0 {
		return nil, fmt.Errorf("encode %s: stream of size %d", op.Name, e.blob.Size)
	}
	e.buf = append(e.buf, "  <ResponseMetadata>\n"...)
	e.buf = appendElement(e.buf, 2, "RequestId", requestID)
	e.buf = append(e.buf, "  </ResponseMetadata>\n"...)
	e.buf = appendClose(e.buf, op.Name+"Response")
	return &Response{Status: http.StatusOK, ContentType: ContentType, text: e.buf, blob: e.blob, at: e.at}, nil
}

// EncodeError returns the answer to a failed call of service ("iam" or "sts").
// An error without a message has no Message element: clients print something
// else for an empty one.
func EncodeError(service string, err *awsmodel.Error, requestID string) *Response {
	namespace := faultNamespace
	if err.Code != "InvalidAction" {
		for _, s := range awsmodel.Services() {
			if s.Name == service {
				namespace = s.Namespace
			}
		}
	}
	e := encoder{buf: make([]byte, 0, 512)}
	e.open("ErrorResponse", namespace)
	e.buf = append(e.buf, "  <Error>\n"...)
	e.buf = appendElement(e.buf, 2, "Type", err.Fault())
	e.buf = appendElement(e.buf, 2, "Code", err.Code)
	if err.Message != "" {
		e.buf = appendElement(e.buf, 2, "Message", err.Message)
	}
	e.buf = append(e.buf, "  </Error>\n"...)
	e.buf = appendElement(e.buf, 1, "RequestId", requestID)
	e.buf = appendClose(e.buf, "ErrorResponse")
	return &Response{Status: err.Status(), ContentType: ContentType, text: e.buf}
}

type encoder struct {
	buf  []byte
	blob *Blob // the blob is streamed between
	at   int   // here and the rest
}

func (e *encoder) open(name, namespace string) {
	e.buf = append(append(e.buf, '<'), name...)
	e.buf = append(append(e.buf, ` xmlns="`...), namespace...)
	e.buf = append(e.buf, "\">\n"...)
}

// value writes one element. Absent values, nil and empty strings of enumerated
// types, are omitted. Lists and maps are absent only if they are nil, and lists
// that AWS always writes are never absent.
func (e *encoder) value(n *node, v reflect.Value, name string, depth int) {
	if n.pointer {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch n.kind {
	case structure:
		e.structure(n, v, name, depth)
	case union:
		e.union(n, v, name, depth)
	case list:
		e.list(n, v, name, depth)
	case dict:
		e.dict(n, v, name, depth)
	case text:
		// An element of a list is written even if it is empty, because the
		// others would move.
		if n.pointer || v.Len() > 0 || n.typ.Name() == "string" {
			e.buf = appendElement(e.buf, depth, name, v.String())
		}
	case stream:
		b := v.Interface().(Blob)
		if b.WriteTo == nil {
			return
		}
		e.buf = appendOpen(e.buf, depth, name)
		e.blob, e.at = &b, len(e.buf)
		e.buf = appendClose(e.buf, name)
	case blob:
		if !v.IsNil() {
			e.buf = appendElement(e.buf, depth, name, base64.StdEncoding.EncodeToString(v.Bytes()))
		}
	default:
		e.buf = appendOpen(e.buf, depth, name)
		switch n.kind {
		case integer:
			e.buf = strconv.AppendInt(e.buf, v.Int(), 10)
		case boolean:
			e.buf = strconv.AppendBool(e.buf, v.Bool())
		case timestamp:
			e.buf = v.Interface().(time.Time).UTC().AppendFormat(e.buf, n.format())
		}
		e.buf = appendClose(e.buf, name)
	}
}

// structure writes an element with its present members.
func (e *encoder) structure(n *node, v reflect.Value, name string, depth int) {
	start := len(e.buf)
	e.buf = append(appendOpen(e.buf, depth, name), '\n')
	inside := len(e.buf)
	for i := range n.fields {
		f := &n.fields[i]
		e.value(f.node, v.Field(f.index), f.name, depth+1)
	}
	e.close(start, inside, name, depth)
}

// close ends the element that began at start, or turns it into an empty one.
func (e *encoder) close(start, inside int, name string, depth int) {
	if len(e.buf) == inside {
		e.buf = appendEmpty(e.buf[:start], depth, name)
		return
	}
	e.buf = appendClose(appendIndent(e.buf, depth), name)
}

func (e *encoder) union(n *node, v reflect.Value, name string, depth int) {
	if v.IsNil() {
		return
	}
	start := len(e.buf)
	e.buf = append(appendOpen(e.buf, depth, name), '\n')
	inside := len(e.buf)
	for i := range n.fields {
		f := &n.fields[i]
		if v.Elem().Type() == f.variant {
			e.value(f.node, v.Elem().Elem().Field(f.index), f.name, depth+1)
		}
	}
	e.close(start, inside, name, depth)
}

func (e *encoder) list(n *node, v reflect.Value, name string, depth int) {
	if v.IsNil() && !n.always {
		return
	}
	start := len(e.buf)
	e.buf = append(appendOpen(e.buf, depth, name), '\n')
	inside := len(e.buf)
	for i := range v.Len() {
		e.value(n.elem, v.Index(i), "member", depth+1)
	}
	e.close(start, inside, name, depth)
}

// dict writes a map, sorted by its keys so that equal answers have equal bytes.
func (e *encoder) dict(n *node, v reflect.Value, name string, depth int) {
	if v.IsNil() {
		return
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int {
		if a.String() < b.String() {
			return -1
		}
		return 1
	})
	start := len(e.buf)
	e.buf = append(appendOpen(e.buf, depth, name), '\n')
	inside := len(e.buf)
	for _, key := range keys {
		e.buf = append(appendOpen(e.buf, depth+1, "entry"), '\n')
		e.buf = appendElement(e.buf, depth+2, "key", key.String())
		e.value(n.elem, v.MapIndex(key), "value", depth+2)
		e.buf = appendClose(appendIndent(e.buf, depth+1), "entry")
	}
	e.close(start, inside, name, depth)
}
