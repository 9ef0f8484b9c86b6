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

// SaveFacts keeps, beside a report, what else was asked about its account, as
// JSON, in place of what is there.
func (f *Folder) SaveFacts(s Snapshot, facts any) error {
	if err := f.writeJSON(facts, true, s.Account, Name(s.GeneratedAt)+factsSuffix); err != nil {
		return fmt.Errorf("save facts: %w", err)
	}
	return nil
}

// ReadFacts reads what SaveFacts kept beside the report. Where there is nothing
// the error is ErrNone, and where it cannot be read ErrDamaged.
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
