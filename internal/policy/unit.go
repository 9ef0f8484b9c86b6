package policy

import (
	"unicode/utf16"
	"unicode/utf8"
)

// A question mark takes one unit of UTF-16, of which a character beyond U+FFFF
// has two. Where a pattern has one, both sides are in an UTF-8 in which such a
// character is two surrogates of three bytes each.

// toUnits returns s in that form, which for most texts is s itself.
func toUnits(s string) string {
	const fourBytes = 0xF0 // begins a character beyond U+FFFF
	plain := true
	for i := range len(s) {
		plain = plain && s[i] < fourBytes
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s)+len(s)/2)
	for _, r := range s {
		if r <= 0xFFFF {
			b = utf8.AppendRune(b, r)
			continue
		}
		high, low := utf16.EncodeRune(r)
		for _, u := range [...]rune{high, low} {
			b = append(b, 0xE0|byte(u>>12), 0x80|byte(u>>6)&0x3F, 0x80|byte(u)&0x3F)
		}
	}
	return string(b)
}

// unitLen returns the length of the unit at the beginning of s, 0 of "".
func unitLen(s string) int {
	_, size := utf8.DecodeRuneInString(s)
	if size == 1 && isSurrogate(s) {
		return surrogateLen
	}
	return size
}

const surrogateLen = 3

// isSurrogate reports whether s begins with one half of a character.
func isSurrogate(s string) bool {
	return len(s) >= surrogateLen && s[0] == 0xED && s[1]&0xE0 == 0xA0 && s[2]&0xC0 == 0x80
}

// longRun is how many tokens or bytes are too many for trying each place.
const longRun = 64

// maxRunWords bounds the memory of a unitRun.
const maxRunWords = 1 << 16

// unitRun is a run of literals and question marks, to be looked for at all
// places of a text at once: bit i of a mask says that unit i of the run may be
// that unit (Baeza-Yates and Gonnet, "shift and").
type unitRun struct {
	last  uint64              // the bit of the last unit, in the last word
	any   []uint64            // units that may be anything
	masks map[string][]uint64 // of the units that the run names
	words int
}

// newUnitRun returns nil for a run that is too long with too many different
// units.
func newUnitRun(run []token) *unitRun {
	var units []string // "" may be anything
	for _, t := range run {
		if t.kind == question {
			units = append(units, "")
			continue
		}
		for text := t.text; text != ""; {
			n := unitLen(text)
			units, text = append(units, text[:n]), text[n:]
		}
	}
	r := &unitRun{words: (len(units) + 63) / 64, masks: map[string][]uint64{}}
	r.last = 1 << ((len(units) - 1) % 64)
	r.any = make([]uint64, r.words)
	for i, u := range units {
		if u == "" {
			r.any[i/64] |= 1 << (i % 64)
		}
	}
	for i, u := range units {
		if u == "" {
			continue
		}
		if r.masks[u] == nil {
			if len(r.masks)*r.words > maxRunWords {
				return nil
			}
			r.masks[u] = append([]uint64(nil), r.any...)
		}
		r.masks[u][i/64] |= 1 << (i % 64)
	}
	return r
}

// indexUnits is indexEnd of a unitRun. Bit i of the state says that what was
// read ends with the first i+1 units of the run.
func (e *evaluation) indexUnits(r *unitRun, s string) int {
	state := make([]uint64, r.words)
	for at := 0; at < len(s); {
		n := unitLen(s[at:])
		mask := r.masks[s[at:at+n]]
		if mask == nil {
			mask = r.any
		}
		at += n
		carry := uint64(1) // the run may begin here
		for i, word := range state {
			state[i] = (word<<1 | carry) & mask[i]
			carry = word >> 63
		}
		if state[r.words-1]&r.last != 0 {
			return at
		}
		if !e.spend(4 + r.words) {
			return -1
		}
	}
	return -1
}
