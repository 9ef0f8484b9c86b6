package report

// usual sets a cell at the beginning of a line if it has one of the texts that
// nearly all cells of its column have, and returns their length. It returns 0 if
// the cell has another text. A row has about twenty such cells, and finding their
// ends first would take half of the time of reading a report.
func (c *cell) usual(row *Row, line string) int {
	switch {
	case c.timeAt != nil:
		if startsWith(line, wordNotApplicable) {
			*c.timeAt(row) = Time{}
			return len(wordNotApplicable)
		}
		if endsAt(line, dateLength) && line[dateLength-1] == 'Z' {
			if sec, ok := parseSecond(line); ok {
				*c.timeAt(row) = AtUnix(sec)
				return dateLength
			}
		}
	case c.boolAt != nil:
		switch {
		case startsWith(line, wordFalse):
			*c.boolAt(row) = False
			return len(wordFalse)
		case startsWith(line, wordTrue):
			*c.boolAt(row) = True
			return len(wordTrue)
		}
	case c.textAt != nil:
		if startsWith(line, wordNotApplicable) {
			*c.textAt(row) = Text{}
			return len(wordNotApplicable)
		}
	}
	return 0
}

// dateLength is the length of 2026-09-11T13:14:52Z.
const dateLength = 20

// startsWith reports whether the first cell of a line is this word.
func startsWith(line, word string) bool {
	return endsAt(line, len(word)) && line[:len(word)] == word
}

// endsAt reports whether a cell ends after n bytes, if they contain no comma.
func endsAt(line string, n int) bool {
	return len(line) == n || len(line) > n && line[n] == ','
}
