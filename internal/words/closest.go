package words

import (
	"strings"
	"unicode"
)

// Closest returns the name that the user may have meant by word: the one with
// the fewest changes, or one that begins with it if punctuation is ignored. It
// returns "" if no name is close.
func Closest(word string, names []string) string {
	word = strings.ToLower(word)
	best, least := "", 1+max(1, len(word)/3)
	for _, name := range names {
		lower := strings.ToLower(name)
		if lower == word {
			return name
		}
		changes := distance(word, lower)
		if len(word) >= 3 && strings.HasPrefix(bare(lower), bare(word)) {
			changes = 1
		}
		if changes < least {
			best, least = name, changes
		}
	}
	return best
}

// DidYouMean ends a sentence with the name that is closest, if one is near.
func DidYouMean(word string, names []string) string {
	if name := Closest(word, names); name != "" {
		return "; did you mean " + name + "?"
	}
	return ""
}

// bare removes punctuation: cis7 means cis-7.0.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPunct(r) {
			return -1
		}
		return r
	}, s)
}

// distance counts the letters to add, remove, change or swap with a neighbour
// to get from a to b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	var before []int // the row before the previous one
	last := make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
