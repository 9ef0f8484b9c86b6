package server

import (
	"cmp"
	"mime"
	"net/http"
	"strings"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
)

// isJSON11 reports whether a request is in the AWS JSON 1.1 protocol, which only
// Organizations speaks here.
func isJSON11(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return r.Method == http.MethodPost && err == nil && kind == awsquery.JSON11ContentType
}

// organizationsTarget begins the X-Amz-Target of an action of Organizations.
const organizationsTarget = "AWSOrganizationsV20161128."

// decodeJSON11 finds the action that the header X-Amz-Target names, and its input.
// The signature covers the header, like every X-Amz header. There are no
// parameters in the query string, which could only be a second source.
func (s *Server) decodeJSON11(r *http.Request, body []byte, k *call) (api.Action, any, error) {
	target := r.Header.Get("X-Amz-Target")
	name, known := strings.CutPrefix(target, organizationsTarget)
	action, found := s.cfg.API.Find("organizations", name)
	if !known || !found {
		return action, nil, &awsmodel.Error{Code: "UnknownOperationException", Message: "Rollcall does not serve " +
			printable(cmp.Or(target, "what has no X-Amz-Target")) + "."}
	}
	k.action = action.Name
	if k.caller != nil && k.caller.Service() != action.Service {
		return action, nil, awsmodel.Fail("SignatureDoesNotMatch",
			"Credential should be scoped to correct service: '%s'.", action.Service)
	}
	if r.URL.Path != "/" || r.URL.RawQuery != "" {
		return action, nil, awsmodel.Fail("SerializationException", "A request has neither a path nor a query string.")
	}
	in := action.NewInput()
	if refused := action.DecodeJSON11(body, in); refused != nil {
		return action, nil, refused
	}
	return action, in, nil
}
