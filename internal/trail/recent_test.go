package trail

import (
	"path/filepath"
	"strings"
	"testing"
)

// Recent finds everything in the file, except records without the result of
// their call, and incomplete lines.
func TestRecent(t *testing.T) {
	tr, err := Open(filepath.Join(t.TempDir(), "trail.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	for _, rec := range []Record{
		{EventID: "a", EventName: "CreateUser"},
		{EventID: "b", EventName: "CreateUser", ErrorCode: "ServiceUnavailable",
			AdditionalEventData: []byte(`{"outcome":"unknown"}`)},
		{EventID: "c", EventName: "CreateUser", UserAgent: strings.Repeat(`"outcome":"unknown"`, 3) + `"eventID":"d"`},
	} {
		if err := tr.Write(&rec); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := tr.sink.Write([]byte(`{"eventID":"e"`)); err != nil {
		t.Fatal(err)
	}
	got := tr.Recent([]string{"a", "b", "c", "d", "e", "f"})
	if len(got) != 2 || !got["a"] || !got["c"] {
		t.Errorf("found %v", got)
	}
	if got := New(&strings.Builder{}).Recent([]string{"a"}); len(got) > 0 {
		t.Errorf("a sink that cannot be read has %v", got)
	}
}
