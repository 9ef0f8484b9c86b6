package doctor

import (
	"fmt"
	"os"
	"time"

	"rollcall/internal/ownfile"
	"rollcall/internal/words"
)

// Clocks differ harmlessly up to littleSkew. At muchSkew, a third of the time
// for which a signature is valid, clients will be refused soon.
const (
	littleSkew = 2 * time.Second
	muchSkew   = 5 * time.Minute
)

// clock compares the clock of this machine with the database's, with the times
// of the files, and with the time of the newest report.
func (x *examination) clock() {
	const check = "clock"
	const do = "let every machine, also the database's, follow the same time servers"
	before := x.noted()
	if x.store != nil && !x.store.Clock.IsZero() {
		skew := x.store.Clock.Sub(x.store.Asked)
		text := fmt.Sprintf("the database's clock differs by %v", skew.Round(time.Millisecond))
		switch {
		case skew.Abs() >= muchSkew:
			x.fault(check, text, do)
		case skew.Abs() >= littleSkew:
			x.warn(check, text, do)
		}
		if ahead := x.store.Newest.Sub(x.Now()); ahead >= littleSkew {
			x.fault(check, "the newest credential report is of "+words.Time(x.store.Newest)+
				", which is in the future: a clock has stepped back, or is wrong now", do)
		}
	}
	if name, ahead := x.fileOfTheFuture(); ahead >= littleSkew {
		x.warn(check, fmt.Sprintf("%s was written %v in the future: a clock has stepped back, or the file system has "+
			"another one", name, ahead.Round(time.Second)), do)
	}
	if x.noted() == before && x.store != nil {
		x.ok(check, "it agrees with the database, the files and the reports")
	}
}

// fileOfTheFuture returns the file whose time is latest, and how far that is
// ahead.
func (x *examination) fileOfTheFuture() (name string, ahead time.Duration) {
	files := []string{x.Data, x.Trail, x.MasterFile}
	if x.Store.Path != "" {
		path := ownfile.Resolve(x.Store.Path)
		files = append(files, path, path+"-wal")
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			continue
		}
		if by := info.ModTime().Sub(x.Now()); by > ahead {
			name, ahead = file, by
		}
	}
	return name, ahead
}
