package html

// blockUsers is the number of users in a block of rows. The page contains a block as
// a whole or not at all.
const blockUsers = 2048

// room counts the credentials of users with findings, or of those without.
type room struct {
	held    int // in memory
	leftOut int
}

// blockFor returns the rows for a user with so many credentials, and nil if there are
// too many already.
func (r *Report) blockFor(credentials int, hasFindings bool) *rows {
	of, blocks := &r.builder.fine, &r.fine
	if hasFindings {
		of, blocks = &r.builder.found, &r.found
	}
	if !r.builder.take(of, credentials) {
		return nil
	}
	if n := len(*blocks); n == 0 || (*blocks)[n-1].users == blockUsers {
		*blocks = append(*blocks, &rows{index: map[string]int64{}})
	}
	return (*blocks)[len(*blocks)-1]
}

// take reserves room for some more credentials.
func (b *Builder) take(of *room, credentials int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if of.held+credentials > b.options.MaxCredentials {
		of.leftOut += credentials
		return false
	}
	of.held += credentials
	return true
}

// block holds rows of the account at an index of the summary.
type block struct {
	*rows
	of int
}

// fitting returns the blocks that fit into the page, and counts the rest. Users with
// findings come first.
func (b *Builder) fitting(reports []*Report) (blocks []block, out leftOutData) {
	credentials, bytes := 0, 0
	fit := func(rows *rows, of int, left *int) {
		if credentials+rows.credentials > b.options.MaxCredentials || bytes+rows.bytes() > maxBytes {
			*left += rows.credentials
			return
		}
		credentials += rows.credentials
		bytes += rows.bytes()
		blocks = append(blocks, block{rows, of})
	}
	out = leftOutData{Found: b.found.leftOut, Fine: b.fine.leftOut}
	for i, r := range reports {
		if r != nil {
			for _, rows := range r.found {
				fit(rows, i, &out.Found)
			}
		}
	}
	for i, r := range reports {
		if r != nil {
			for _, rows := range r.fine {
				fit(rows, i, &out.Fine)
			}
		}
	}
	return blocks, out
}
