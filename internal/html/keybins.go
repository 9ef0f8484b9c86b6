package html

import (
	"rollcall/internal/audit"
	"rollcall/report"
)

// numKeyBins is the number of bars of the chart of key ages. Each of them except the
// last covers a third of the limit, so their lengths can be compared.
const numKeyBins = 13

// The verdicts on a key that have colours in the chart of key ages.
const (
	keyFails = iota
	keyUntold
	keyWarns
	keyExcused
	keyFine
	numKeyVerdicts
)

// agedKey is an active key that the chart counts.
type agedKey struct {
	made    int64 // in seconds since 1970
	verdict uint8
	never   bool // nobody has used it
}

// keyBinLimits returns the greatest age in days of each bar but the last. The
// limit of the audit is one of them.
func keyBinLimits(p *audit.Params) (limits [numKeyBins - 1]int) {
	for i := range limits {
		limits[i] = max((p.KeyMaxAgeDays*(i+1)+2)/3, i+1)
	}
	return limits
}

// countKeys counts the keys of a report by age and verdict. The first number of
// each pair counts keys that were used, the second those that never were.
func countKeys(keys []agedKey, asOf int64, p *audit.Params) (bins [numKeyBins][2 * numKeyVerdicts]int) {
	const day, tolerance = 24 * 60 * 60, 60 * 60
	limits := keyBinLimits(p)
	for _, k := range keys {
		age := asOf - k.made
		if age < -tolerance {
			continue // the report is older than its key, so nobody knows the age
		}
		bin := 0
		for bin < len(limits) && age > int64(limits[bin])*day {
			bin++
		}
		place := 2 * int(k.verdict)
		if k.never {
			place++
		}
		bins[bin][place]++
	}
	return bins
}

// noteKey stores the facts about a key that the chart needs.
func (r *Report) noteKey(k *report.Key, found []*audit.Finding) {
	made, known := k.LastRotated.Unix()
	if !k.Active.IsTrue() || !known {
		return
	}
	r.keys = append(r.keys, agedKey{made, keyVerdict(found), !k.LastUsed.IsPresent()})
}

// keyVerdict returns the verdict of the heaviest finding on a key.
func keyVerdict(found []*audit.Finding) uint8 {
	verdict := uint8(keyFine)
	heaviest := 0
	for _, f := range found {
		if w := weight(f); w > heaviest {
			heaviest, verdict = w, keyVerdictOf(f)
		}
	}
	return verdict
}

func keyVerdictOf(f *audit.Finding) uint8 {
	switch {
	case f.Suppressed:
		return keyExcused
	case f.Status == audit.Fail:
		return keyFails
	case f.Status == audit.NoData:
		return keyUntold
	case f.Status == audit.Warn:
		return keyWarns
	}
	return keyFine
}

// weight orders the findings of a line like rows.js: by severity, then FAIL before
// NO_DATA before WARN. MANUAL comes next, and excused findings come last.
func weight(f *audit.Finding) int {
	if f.Suppressed {
		return 1
	}
	rank := map[audit.Status]int{audit.Fail: 3, audit.NoData: 2, audit.Warn: 1}[f.Status]
	if rank == 0 {
		return 2
	}
	return 3 + int(f.Severity)*4 + rank
}
