package server

import (
	"net/http"
	"testing"
)

func TestAcceptsJSON(t *testing.T) {
	for _, test := range []struct {
		accept []string
		want   bool
	}{
		{nil, false},
		{[]string{""}, false},
		{[]string{"*/*"}, false},
		{[]string{"text/xml"}, false},
		{[]string{"application/json"}, true},
		{[]string{"Application/JSON; charset=utf-8"}, true},
		{[]string{"application/json;q=0.001"}, true},
		{[]string{"application/json;q=0"}, false},
		{[]string{"application/json;q=0, */*"}, false},
		{[]string{"application/json, text/plain, */*"}, true},
		{[]string{"*/*, application/json"}, true},
		{[]string{"*/*;q=0.1, application/json;q=0.2"}, true},
		{[]string{"*/*, application/json;q=0.9"}, false},
		{[]string{"application/json, text/xml"}, true},
		{[]string{"text/xml, application/json"}, false},
		{[]string{"application/xml;q=0.5, application/json;q=0.6"}, true},
		{[]string{"text/xml;q=0.1, application/xml, application/json;q=0.5"}, false},
		{[]string{"application/*"}, false},
		{[]string{"application/*, text/xml;q=0"}, true},
		{[]string{"text/*, application/json;q=0.9"}, false},
		{[]string{"text/html", "application/json"}, true},
		{[]string{"application/json;q=2"}, false},
		{[]string{"application/json;q=NaN"}, false},
		{[]string{"application/json;q=x"}, false},
		{[]string{"application/jsonx, xapplication/json"}, false},
	} {
		if got := acceptsJSON(http.Header{"Accept": test.accept}); got != test.want {
			t.Errorf("%q: got %v", test.accept, got)
		}
	}
}
