package server

import (
	"testing"

	"rollcall/internal/awsmodel"
)

func TestOutcome(t *testing.T) {
	for _, test := range []struct {
		status int
		code   string
		want   string
	}{
		{200, "", "ok"}, {302, "", "ok"}, {400, "ValidationError", "refused"}, {404, "NoSuchEntity", "refused"},
		{409, "EntityAlreadyExists", "refused"}, {400, "Throttling", "throttled"}, {429, "", "throttled"},
		{403, "AccessDenied", "denied"}, {499, "ClientDisconnected", "left"}, {503, "ServiceUnavailable", "failed"},
		{500, "ServiceFailure", "failed"}, {400, "AccessDenied", "denied"}, // in JSON
	} {
		var refusal *awsmodel.Error
		if test.code != "" {
			refusal = awsmodel.Fail(test.code, "")
		}
		if got := outcome(test.status, refusal); got != test.want {
			t.Errorf("%d %s: %s, want %s", test.status, test.code, got, test.want)
		}
	}
}
