package policy

import (
	"unicode/utf16"
	"unicode/utf8"
)

// A question mark matches one unit of UTF-16. A character beyond U+FFFF has
// two. If a pattern has a question mark, both sides are in a form of UTF-8 in
// which such a character is two surrogates of three bytes each.

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

// longRun is the number of bytes above which not every position of a text is
// tried.
const longRun = 16

// runLen estimates how many units a run has.
func runLen(run []token) (n int) {
	for i := range run {
		n += 1 + len(run[i].text)
	}
	return n
}

// maxRunWords limits the memory of a unitRun to 512 KiB.
const maxRunWords = 1 << 16

// unitRun is a run of literals and question marks for a search at all positions
// of a text at once: bit i of a unit's mask says that unit i of the run may be
// that unit (Baeza-Yates and Gonnet, "shift and").
type unitRun struct {
	words int                  // of a mask
	last  uint64               // the bit of the last unit, in the last word
	masks []uint64             // one after the other; the first is of units that the run does not name
	ascii [utf8.RuneSelf]int32 // which mask
	other map[string]int32
}

// newUnitRun returns nil for a run that is too long and has too many different
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
	r := &unitRun{words: (len(units) + 63) / 64, last: 1 << ((len(units) - 1) % 64), other: map[string]int32{}}
	r.masks = make([]uint64, r.words)
	for i, u := range units {
		if u == "" {
			r.masks[i/64] |= 1 << (i % 64)
		}
	}
	for i, u := range units {
		if u == "" {
			continue
		}
		n := r.mask(u)
		if n == 0 {
			n = int32(len(r.masks) / r.words)
			r.masks = append(r.masks, r.masks[:r.words]...)
			if len(u) == 1 && u[0] < utf8.RuneSelf {
				r.ascii[u[0]] = n
			} else {
				r.other[u] = n
			}
		}
		if len(r.masks) > maxRunWords {
			return nil
		}
		r.masks[int(n)*r.words+i/64] |= 1 << (i % 64)
	}
	return r
}

func (r *unitRun) mask(unit string) int32 {
	if unit[0] < utf8.RuneSelf {
		return r.ascii[unit[0]]
	}
	return r.other[unit]
}

// indexUnits is indexEnd for a unitRun. Bit i of the state says that the text
// read so far ends with the first i+1 units of the run.
func (e *evaluation) indexUnits(r *unitRun, s string) int {
	state := make([]uint64, r.words)
	for at := 0; at < len(s); {
		n := unitLen(s[at:])
		from := int(r.mask(s[at:at+n])) * r.words
		mask := r.masks[from : from+r.words]
		at += n
		carry := uint64(1) // the run may begin here
		for i, word := range state {
			state[i] = (word<<1 | carry) & mask[i]
			carry = word >> 63
		}
		if state[r.words-1]&r.last != 0 {
			return at
		}
		if !e.spend(1 + r.words) {
			return -1
		}
	}
	return -1
}
