package service_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"rollcall/internal/service"
	"rollcall/internal/storetest"
)

// BenchmarkAssumeRole creates sessions through the whole service: a signed call
// over HTTP, the trust policy and the caller's own policies, a sealed token, a
// record.
func BenchmarkAssumeRole(b *testing.B) {
	w := newWorld(b, service.Config{Store: storetest.SQLite(b)})
	w.user(b, "Ann")
	ann := w.asUser(b, "Ann")
	arn := w.role(b, "worker", trusting("Ann"))
	for b.Loop() {
		w.assume(b, ann, arn, "night")
	}
}

// BenchmarkSessionCall sends a signed call with a session's credentials.
func BenchmarkSessionCall(b *testing.B) {
	w := newWorld(b, service.Config{Store: storetest.SQLite(b)})
	w.user(b, "Ann")
	arn := w.role(b, "worker", trusting("Ann"))
	w.putRolePolicy(b, "worker", ptr(allowAll))
	session := w.assume(b, w.asUser(b, "Ann"), arn, "night")
	for b.Loop() {
		must(b, session.GetRole, &iam.GetRoleInput{RoleName: ptr("worker")})
	}
}
