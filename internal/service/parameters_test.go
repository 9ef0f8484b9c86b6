package service_test

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// parameter says how a member of an input changes the things that a call
// affects.
type parameter struct {
	// thing is the kind of thing that it names, "" for none.
	thing string
	// values are other values for tests, if they change or extend what the call
	// affects.
	values []string
	// at is the form of the values in a request, if it differs from the
	// member's name.
	at string
}

// own is the name of the things on which a caller of these tests may act.
// stranger is part of all names of other things.
const own, stranger = "own", "zstranger"

var (
	yes      = []string{"true"}
	newNames = []string{stranger, "new", "own2", "OWN"}
	paths    = []string{"/", "/own", "/own/", "/ow", "/own/" + stranger, "/" + stranger + "/", "/own" + stranger + "/"}
	entities = []string{
		groupPath + "/" + stranger, rolePath + "/" + stranger, policyPath + "/" + stranger,
		userPath + "/own/" + stranger,
		userPath + "/" + strings.ToUpper(stranger), groupPath + "/own/" + stranger, rolePath + "/own/" + stranger,
	}
)

// members returns the members of an action's input.
func members(t testing.TB, w *world, action string) (all []string) {
	t.Helper()
	_, service := form(action)
	a, ok := w.API.Find(service, action)
	if !ok {
		t.Fatalf("%s is not served", action)
	}
	for in, i := reflect.TypeOf(a.NewInput()).Elem(), 0; i < in.NumField(); i++ {
		if f := in.Field(i); f.IsExported() {
			all = append(all, f.Name)
		}
	}
	return all
}

// Every parameter must be in the table, which says what it affects. The tests
// below check that.
func TestEveryParameterIsInTheTable(t *testing.T) {
	t.Parallel()
	w := inMemory(t)
	unseen := maps.Clone(parameters)
	for action := range everyAction {
		for _, member := range members(t, w, action) {
			if _, ok := parameters[member]; !ok {
				t.Errorf("%s has a member %s: what does it touch?", action, member)
			}
			delete(unseen, member)
		}
	}
	if len(unseen) > 0 {
		t.Errorf("no action has %q", slices.Sorted(maps.Keys(unseen)))
	}
}

// request returns the valid request of an action about the things in has.
func request(action string, has things) url.Values {
	text, _ := form(action)
	values, err := url.ParseQuery(text)
	if err != nil {
		panic(err)
	}
	for key := range values {
		member, _, _ := strings.Cut(key, ".")
		if thing := has[parameters[member].thing]; thing != "" {
			values.Set(key, thing)
		}
	}
	return values
}

// try is one request with one changed parameter.
type try struct {
	action, member, value string
	form                  url.Values
}

func (x try) String() string { return x.action + " " + x.member + "=" + x.value }

// with returns the request of an action with another value of one member.
func with(action, member, value string, has things) try {
	values := request(action, has)
	at := parameters[member].at
	if at == "" {
		at = member
	}
	values.Set(at, value)
	return try{action, member, value, values}
}

// try sends the request.
func (w *world) try(t testing.TB, c clients, x try) answer {
	t.Helper()
	_, service := form(x.action)
	body := x.form.Encode()
	r := w.post(t, "/", body)
	w.sign(r, body, c, "us-east-1", service)
	return send(t, r)
}
