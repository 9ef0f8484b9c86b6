package trail

import (
	"bytes"
	"io"
)

// recentBytes is the length of the end of the file that Recent reads. After a
// crash, the records of the last second or two are in doubt.
const recentBytes = 16 << 20

// Recent reports which of the events have a record with a result among the last
// ones of the file. It finds no events in other sinks, and none in a file that
// was moved away.
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

// recordedIDs searches complete lines for events. No text from a client looks
// like a member, because quotes within texts are escaped.
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
