package trail

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"
)

// Budget limits the records of Strangers, because unauthenticated calls cost an
// attacker nothing. The first records of every second are written. The others
// are counted, and within ten seconds a RefusalsOmitted event reports how many
// calls there were, with which error codes, from how many addresses and from
// which ones most. Zero fields mean 20 and 200.
type Budget struct {
	PerAddress int // records per second for one address
	Overall    int // records per second for all addresses together
}

const (
	// summaryEvery is the time between two reports about omitted records.
	summaryEvery = 10 * time.Second
	// maxAddresses limits the addresses that are distinguished between two
	// events, maxNamed those that one event names.
	maxAddresses = 10_000
	maxNamed     = 10
	// maxCodes limits the error codes of an event. All of them are ours.
	maxCodes = 20
)

// strangers enforces the Budget. It is safe for concurrent use.
type strangers struct {
	mu sync.Mutex
	// second is the second of written and from, which count the records of all
	// addresses, and of each address. There are no more addresses than records.
	second  int64
	written int
	from    map[string]int

	left leftOut
}

// leftOut describes the calls without a record.
type leftOut struct {
	since     time.Time // time of the first; zero if there is none
	calls     int
	codes     map[string]int
	addresses map[string]int
	more      bool // there were more addresses than are distinguished
}

// admit reports whether a record should be written. If not, it is counted.
// first says that it is the first one since the last summary.
func (s *strangers) admit(b Budget, rec *Record, now time.Time) (ok, first bool) {
	if b.PerAddress == 0 {
		b.PerAddress = 20
	}
	if b.Overall == 0 {
		b.Overall = 200
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if second := now.Unix(); second != s.second {
		s.second, s.written, s.from = second, 0, map[string]int{}
	}
	if s.written < b.Overall && s.from[rec.SourceIPAddress] < b.PerAddress {
		s.written++
		s.from[rec.SourceIPAddress]++
		return true, false
	}
	return false, s.left.count(rec, now)
}

func (l *leftOut) count(rec *Record, now time.Time) (first bool) {
	if first = l.calls == 0; first {
		*l = leftOut{since: now, codes: map[string]int{}, addresses: map[string]int{}}
	}
	l.calls++
	code := cmp.Or(rec.ErrorCode, rec.ErrorMessage) // sign-ins have no code
	if _, known := l.codes[code]; !known && len(l.codes) >= maxCodes {
		code = "other"
	}
	l.codes[code]++
	address := rec.SourceIPAddress
	if _, known := l.addresses[address]; !known && len(l.addresses) >= maxAddresses {
		l.more = true
		return first
	}
	l.addresses[address]++
	return first
}

// take returns the omitted records since its last call.
func (s *strangers) take() leftOut {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.left
	s.left = leftOut{}
	return l
}

// record returns the event about the omitted records.
func (l leftOut) record(now time.Time) *Record {
	type named struct {
		SourceIPAddress string `json:"sourceIPAddress"`
		Calls           int    `json:"calls"`
	}
	var most []named
	for _, address := range slices.Collect(maps.Keys(l.addresses)) {
		most = append(most, named{address, l.addresses[address]})
	}
	slices.SortFunc(most, func(a, b named) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.SourceIPAddress, b.SourceIPAddress))
	})
	data, err := json.Marshal(struct {
		From          string         `json:"from"`
		Until         string         `json:"until"`
		Calls         int            `json:"calls"`
		ErrorCodes    map[string]int `json:"errorCodes"`
		Addresses     int            `json:"addresses"`
		MoreAddresses bool           `json:"moreAddresses,omitempty"`
		MostFrom      []named        `json:"mostFrom"`
	}{
		l.since.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339), l.calls, l.codes,
		len(l.addresses), l.more, most[:min(len(most), maxNamed)],
	})
	if err != nil {
		panic(err) // texts and numbers only
	}
	return serviceEvent("RefusalsOmitted", data, now)
}
