package server

import "testing"

func TestOutcome(t *testing.T) {
	for _, test := range []struct {
		status int
		code   string
		want   string
	}{
		{200, "", "ok"}, {302, "", "ok"}, {400, "ValidationError", "refused"}, {404, "NoSuchEntity", "refused"},
		{409, "EntityAlreadyExists", "refused"}, {400, "Throttling", "throttled"}, {429, "", "throttled"},
		{403, "AccessDenied", "denied"}, {499, "ClientDisconnected", "left"}, {503, "ServiceUnavailable", "failed"},
		{500, "ServiceFailure", "failed"},
	} {
		if got := outcome(test.status, test.code); got != test.want {
			t.Errorf("%d %s: %s, want %s", test.status, test.code, got, test.want)
		}
	}
}
