package server

import (
	"net/http"
	"strconv"
	"strings"
)

// acceptsJSON reports whether a client prefers JSON to XML by its Accept
// headers (RFC 9110, section 12.5.1): JSON has a higher quality than XML, or
// the same quality but is named more exactly or earlier. A client that accepts
// anything gets XML.
func acceptsJSON(h http.Header) bool {
	var asJSON, asXML preference
	position := 0
	for _, line := range h.Values("Accept") {
		for part := range strings.SplitSeq(line, ",") {
			position++
			kind, parameters, _ := strings.Cut(part, ";")
			found := preference{quality: quality(parameters), position: position}
			switch kind = strings.ToLower(strings.TrimSpace(kind)); kind {
			case "application/json":
				asJSON.note(found, exact)
			case "text/xml", "application/xml":
				asXML.note(found, exact)
			case "application/*":
				asJSON.note(found, ofType)
				asXML.note(found, ofType)
			case "text/*":
				asXML.note(found, ofType)
			case "*/*":
				asJSON.note(found, anything)
				asXML.note(found, anything)
			}
		}
	}
	return asJSON.over(asXML)
}

// These constants say how exactly a range names a media type.
const (
	anything = iota + 1
	ofType
	exact
)

// preference says how much a client prefers one form of an answer.
type preference struct {
	exactness int
	quality   float64
	position  int
}

// note applies another range, unless a more exact range came before.
func (p *preference) note(found preference, exactness int) {
	if exactness > p.exactness || exactness == p.exactness && found.quality > p.quality {
		*p = found
		p.exactness = exactness
	}
}

func (p preference) over(other preference) bool {
	switch {
	case p.quality != other.quality:
		return p.quality > other.quality
	case p.quality == 0:
		return false
	case p.exactness != other.exactness:
		return p.exactness > other.exactness
	}
	return p.position < other.position
}

// quality reads the parameter q of a range, a number from 0 to 1. It is 1 if
// the parameter is absent and 0 if it cannot be read.
func quality(parameters string) float64 {
	for p := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if !strings.EqualFold(name, "q") {
			continue
		}
		q, err := strconv.ParseFloat(value, 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
