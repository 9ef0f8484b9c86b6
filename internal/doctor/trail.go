package doctor

import (
	"bufio"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"rollcall/internal/trail"
	"rollcall/internal/words"
)

// trailPart is the length of the trail's end whose chain is checked. The whole
// trail may be large: 'rollcall trail verify' reads it.
const trailPart = 16 << 20

// trail checks that the trail can be written, and that its end is whole.
func (x *examination) trail() {
	const check = "trail"
	if x.Trail == "off" {
		x.warn(check, "nothing is recorded: --trail is off", "name a file or a collector with --trail")
		return
	}
	if err := trail.Reach(x.Trail); err != nil {
		x.fault(check, "it cannot be written, so changes are refused: "+reason(err),
			"see that the place exists, and that the service's user may write to it")
		return
	}
	if x.lacks(check) {
		return
	}
	info, err := os.Stat(x.Trail)
	if err != nil || !info.Mode().IsRegular() {
		x.ok(check, x.Trail+" can be written")
		return
	}
	if err := x.chain(check); err != nil && !errors.Is(err, fs.ErrNotExist) {
		x.fault(check, reason(err), "see that the service's user may read the file")
	}
}

// lacks compares the trail's file with its head in the database, and reports
// whether it noted something.
func (x *examination) lacks(check string) bool {
	if x.store == nil || x.keys == nil {
		return false
	}
	const do = "run 'rollcall trail verify' on all files of the trail, and find out who could write to them"
	h := trail.HeadOf(x.Trail, x.store.TrailHeads)
	switch {
	case h == nil:
		return false
	case !h.Proven(x.keys.MAC):
		x.fault(check, "what the database knows of the trail's end was changed", do)
		return true
	}
	gap, err := trail.Missing(x.Trail, h.Head)
	switch {
	case err != nil:
		x.fault(check, reason(err), "see that the service's user may read the file")
	case gap != nil:
		x.fault(check, gap.String(), do)
	}
	return err != nil || gap != nil
}

// chain verifies the end of the trail's file.
func (x *examination) chain(check string) error {
	f, err := os.Open(x.Trail)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	start := max(0, info.Size()-trailPart)
	text := bufio.NewReader(io.NewSectionReader(f, start, info.Size()-start))
	if start > 0 {
		if _, err := text.ReadBytes('\n'); err != nil {
			return err
		}
	}
	v := &trail.Verifier{Part: true, Keys: x.trailKeys()}
	if err := v.File(x.Trail, text); err != nil {
		return err
	}
	report := v.Report()
	if n := len(report.Problems) + report.More; n > 0 {
		first := report.Problems[0]
		x.fault(check, fmt.Sprintf("%s, the first: %s", words.Count(n, "problem"), first.Text),
			"run 'rollcall trail verify' on all files of the trail")
		return nil
	}
	found := fmt.Sprintf("it can be written, and its end is whole (%s)",
		words.Count(report.Records, "record"))
	if len(v.Keys) == 0 {
		found += "; without the master key their signatures were not checked"
	}
	x.ok(check, found)
	return nil
}

func (x *examination) trailKeys() map[string]ed25519.PublicKey {
	keys := map[string]ed25519.PublicKey{}
	if x.keys != nil {
		for _, key := range x.keys.PublicKeys() {
			keys[trail.KeyID(key)] = key
		}
	}
	return keys
}
