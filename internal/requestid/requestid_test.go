package requestid_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"

	"rollcall/internal/requestid"
	"rollcall/internal/requestid/requestidtest"
)

func TestLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := requestid.Log(requestid.Log(slog.New(slog.NewJSONHandler(&out, nil))).With("node", "a"))
	line := func(ctx context.Context) string {
		out.Reset()
		log.WarnContext(ctx, "something failed", "error", "x")
		return out.String()
	}
	ctx := requestid.With(t.Context(), "1234")
	for _, ctx := range []context.Context{ctx, context.WithoutCancel(ctx)} {
		if got := line(ctx); strings.Count(got, `"requestID":"1234"`) != 1 || !strings.Contains(got, `"node":"a"`) ||
			requestidtest.Lacks([]byte(got)) != "" {
			t.Errorf("logged %s", got)
		}
	}
	if got := line(t.Context()); requestidtest.Lacks([]byte(got)) != "something failed" {
		t.Errorf("logged %s", got)
	}
	if requestidtest.Lacks([]byte("a text\n")) != "" {
		t.Error("a text is a line of the log")
	}
}
