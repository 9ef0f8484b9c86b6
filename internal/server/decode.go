package server

import (
	"net/http"
	"strings"

	"rollcall/internal/api"
	"rollcall/internal/awsmodel"
	"rollcall/internal/awsquery"
)

// versions maps the values of the Version parameter to their services.
var versions = map[string]string{"2010-05-08": "iam", "2011-06-15": "sts"}

// decode finds the action and its input. A POST may have parameters in its
// query string too, but none in both places: the same bytes are signed, select
// the action and become its input.
func (s *Server) decode(r *http.Request, body []byte, k *call) (api.Action, any, error) {
	if k.json11 {
		return s.decodeJSON11(r, body, k)
	}
	raw := string(body)
	switch {
	case r.Method == http.MethodGet:
		raw = r.URL.RawQuery
	case r.URL.RawQuery != "":
		raw += "&" + r.URL.RawQuery
	}
	form, refused := awsquery.ParseForm(raw)
	if refused != nil {
		return api.Action{}, nil, refused
	}
	version := form.Version()
	service, known := versions[version]
	if known {
		k.service = service
	}
	action, found := s.cfg.API.Find(service, form.Action())
	if !found {
		if version == "" {
			version = "NO_VERSION_SPECIFIED"
		}
		return action, nil, invalidAction(form.Action(), version)
	}
	k.action = action.Name
	if k.caller != nil && k.caller.Service() != service {
		return action, nil, awsmodel.Fail("SignatureDoesNotMatch",
			"Credential should be scoped to correct service: '%s'.", service)
	}
	in := action.NewInput()
	if refused := action.Decode(form, in); refused != nil {
		return action, nil, refused
	}
	return action, in, nil
}

// invalidAction returns AWS's error, and says so if AWS has the action but this
// service does not.
func invalidAction(action, version string) error {
	text := "Could not find operation " + printable(action) + " for version " + printable(version)
	if op, ok := awsmodel.Lookup(action); ok && op.Service.Version == version {
		text += ": Rollcall does not serve it"
	}
	return &awsmodel.Error{Code: "InvalidAction", Message: text}
}

// printable makes a client's text safe for an error text.
func printable(s string) string {
	const most = 128
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "?")
}
