package trail

import (
	"bytes"
	"io"
)

// recentBytes is the length of the end of the file that Recent reads. A crash
// leaves records of the last second or two in doubt.
const recentBytes = 16 << 20

// Recent reports which of the events have a record among the last ones of the
// file that says what became of them. It knows no events of other sinks, and
// none of a file that was moved away.
func (t *Trail) Recent(ids []string) map[string]bool {
	if t.path == "" {
		return nil
	}
	f, size, err := openRegular(t.path)
	if err != nil {
		return nil
	}
	defer f.Close()
	end := make([]byte, min(size, recentBytes))
	if _, err := f.ReadAt(end, size-int64(len(end))); err != nil && err != io.EOF {
		return nil
	}
	return recordedIDs(end, ids)
}

// recordedIDs looks for events in whole lines. No text from a client looks like
// a member: quotes within texts are escaped.
func recordedIDs(text []byte, ids []string) map[string]bool {
	wanted := map[string]bool{}
	for _, id := range ids {
		wanted[id] = true
	}
	found := map[string]bool{}
	for line := range bytes.Lines(text) {
		_, rest, ok := bytes.Cut(line, []byte(`"eventID":"`))
		if !ok || line[len(line)-1] != '\n' || bytes.Contains(line, []byte(`"outcome":"unknown"`)) {
			continue
		}
		id, _, _ := bytes.Cut(rest, []byte{'"'})
		if wanted[string(id)] {
			found[string(id)] = true
		}
	}
	return found
}
