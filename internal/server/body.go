package server

import (
	"errors"
	"io"
	"net/http"
	"time"

	"rollcall/internal/awsmodel"
)

const (
	// maxBody is the largest request body. IAM's largest input, a certificate
	// chain, is far below it.
	maxBody = 1 << 20
	// maxUnsigned is the largest body of an unsigned request. A SAML assertion
	// has at most 100,000 characters, which a form may triple.
	maxUnsigned = 384 << 10
	// freeBody is the size of a body that any client may send before the server
	// checks the sender and before the body draws on the memory of its kind.
	// Nearly every call is smaller.
	freeBody = 4 << 10
	// bodyCost is the number of bytes that a call holds for each byte of its
	// body.
	bodyCost = 2
	// discardTime limits the time spent on the rest of an unwanted body.
	// discardMost limits how much of it is read from an unknown sender.
	discardTime = 5 * time.Second
	discardMost = 256 << 10
)

// readBody reads the body and limits its size. The server's read timeout limits
// the time. The buffer grows with the bytes that arrive, not with the announced
// length, so a client that only announces a large body holds no memory. A
// client that sends a large body must first name an access key that the server
// knows.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength == 0 {
		return nil, nil
	}
	size := freeBody
	if r.ContentLength > 0 {
		size = int(min(r.ContentLength, freeBody))
	}
	body, ended, err := fill(make([]byte, 0, size), r.Body)
	if ended || err != nil {
		return body, err
	}
	if r.ContentLength < 0 || r.ContentLength > freeBody {
		return s.readLarge(w, r, body)
	}
	return body, nil
}

// readLarge reads the rest of a body that is too large for an unknown client.
func (s *Server) readLarge(w http.ResponseWriter, r *http.Request, body []byte) ([]byte, error) {
	most, unsigned := maxBody, s.known(r)
	if unsigned != nil {
		most = maxUnsigned
		if !notSigned(unsigned) || r.ContentLength > maxUnsigned || isJSON11(r) {
			return nil, discard(w, r, body, discardMost, unsigned)
		}
	}
	if r.ContentLength > maxBody {
		return nil, discard(w, r, body, 4*maxBody, errTooLarge)
	}
	for ended := false; !ended; {
		size := min(2*cap(body), most+1)
		if !connOf(r.Context()).drawBody(unsigned == nil, size-cap(body)) {
			return nil, discard(w, r, body, discardMost, errCrowded)
		}
		var err error
		if body, ended, err = fill(append(make([]byte, 0, size), body...), r.Body); err != nil {
			return nil, err
		}
		switch {
		case len(body) <= most:
		case unsigned != nil:
			return nil, discard(w, r, body, discardMost, unsigned)
		default:
			return nil, discard(w, r, body, 4*maxBody, errTooLarge)
		}
	}
	return body, nil
}

// known reports whether a request names a valid key.
func (s *Server) known(r *http.Request) error {
	r, cancel := s.inTime(r)
	defer cancel()
	return s.verifier.Known(r)
}

// fill reads until the buffer is full or the body ends.
func fill(buf []byte, from io.Reader) (body []byte, ended bool, err error) {
	for len(buf) < cap(buf) {
		n, err := from.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, true, nil
		}
		if err != nil {
			return nil, false, awsmodel.Fail("RequestTimeout", "The request body did not arrive as announced.")
		}
	}
	return buf, false, nil
}

// drawBody takes memory for a body from the budget.
func (c *conn) drawBody(keyed bool, n int) bool {
	switch {
	case c == nil: // no connection, as in tests
		return true
	case keyed:
		return c.draw(c.provenOr(&c.g.keyed), int64(n)*bodyCost)
	}
	return c.draw(&c.g.strange, int64(n)*bodyCost)
}

var (
	errTooLarge = awsmodel.Fail("RequestEntityTooLarge", "The request is larger than %d bytes.", maxBody)
	errCrowded  = awsmodel.Fail("ServiceUnavailable", "Too many large requests are being received; try again.")
)

// discard reads a little of the remaining bytes, for a short time, into a
// buffer that is no longer needed. If a connection is closed while its client
// still sends, the client's system resets it and the client never reads the
// answer.
func discard(w http.ResponseWriter, r *http.Request, body []byte, most int, refused error) error {
	// Recorders in tests have no deadline.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(discardTime))
	for body = body[:cap(body)]; most > 0; {
		n, err := r.Body.Read(body)
		if err != nil {
			break
		}
		most -= n
	}
	return refused
}
