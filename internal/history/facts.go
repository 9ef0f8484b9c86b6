package history

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

const factsSuffix = ".facts.json"

func (s Snapshot) factsPath() string { return strings.TrimSuffix(s.Path, csvSuffix) + factsSuffix }

// SaveFacts saves further facts about the account next to a report, as JSON. It
// replaces facts that exist already.
func (f *Folder) SaveFacts(s Snapshot, facts any) error {
	if err := f.writeJSON(facts, true, s.Account, Name(s.GeneratedAt)+factsSuffix); err != nil {
		return fmt.Errorf("save facts: %w", err)
	}
	return nil
}

// ReadFacts reads the facts that SaveFacts saved next to the report. If there
// are none the error is ErrNone. If they are unreadable it is ErrDamaged.
func (s Snapshot) ReadFacts(facts any) error {
	text, err := os.ReadFile(s.factsPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", s.factsPath(), ErrNone)
	case err != nil:
		return err
	}
	if err := decode(text, facts); err != nil {
		return fmt.Errorf("%s: %w: %w", s.factsPath(), ErrDamaged, err)
	}
	return nil
}
