package trail

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"time"
)

// Link ties a record to the previous one. It is the member "trail" of the
// record's additionalEventData, where CloudTrail permits any member.
type Link struct {
	// Chain names the chain. Each record of a chain has the next Seq, from 1 on.
	Chain string `json:"chain"`
	Seq   uint64 `json:"seq"`
	// Prev is the hash of the whole line before, without its line break.
	Prev string `json:"prev,omitempty"`
	// Started says why the record begins a chain.
	Started string `json:"started,omitempty"`
	// Follows names the record that was the last one of another chain.
	Follows *Head `json:"follows,omitempty"`
	// Torn is the hash of a text between this record and the previous one. It is
	// left by a write that was cut.
	Torn string `json:"torn,omitempty"`
	// End says why no record of this process follows in this file.
	End string `json:"end,omitempty"`
	// Key names the key of the Signature, which covers the line without itself.
	Key       string `json:"key,omitempty"`
	Signature string `json:"signature,omitempty"`
}

// Head is the last record of a chain.
type Head struct {
	Chain string `json:"chain"`
	Seq   uint64 `json:"seq"`
	Hash  string `json:"hash"`
}

// Values of Started.
const (
	// startedNew begins the chain of an empty file, or of another sink.
	startedNew = "new"
	// startedUnchained follows records that belong to no chain.
	startedUnchained = "unchained"
	// startedChanged says that the file did not end as this process had left it.
	startedChanged = "changed"
	// startedMissing says that the chain that the database knew was in no file
	// when the process began.
	startedMissing = "missing"
)

// endRotated ends a file that was moved away.
const endRotated = "rotated"

// checkpointEvent is the event that signs the records before it.
const checkpointEvent = "TrailCheckpoint"

// maxLink bounds what a link adds to a line.
const maxLink = 640

// maxPlainLink bounds what most links add.
const maxPlainLink = 160

// maxLine bounds a line of the trail, without its line break.
const maxLine = maxRecord + maxLink

// checkpointDomain comes before the text that is signed, so that no signature for another
// purpose is one of a checkpoint.
const checkpointDomain = "rollcall trail checkpoint 1\n"

// Signer signs the records up to a checkpoint. It returns the key's id.
type Signer func(message []byte) (key string, signature []byte)

// KeyID returns the id of a public key, as checkpoints name it.
func KeyID(key ed25519.PublicKey) string {
	sum := sha256.Sum256(key)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

// hashLine returns the hash of a line, as the next one carries it.
func hashLine(line []byte) string {
	sum := sha256.Sum256(line)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func newChainID() string {
	var id [9]byte
	_, _ = rand.Read(id[:])
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// append appends the member. All its texts are ours.
func (l *Link) append(dst []byte) []byte {
	o := object{dst: append(dst, `"trail":{`...), most: maxText}
	o.text("chain", l.Chain)
	o.key("seq")
	o.dst = strconv.AppendUint(o.dst, l.Seq, 10)
	o.optional("prev", l.Prev)
	o.optional("started", l.Started)
	if l.Follows != nil {
		o.key("follows")
		f := object{dst: append(o.dst, '{'), most: maxText}
		f.text("chain", l.Follows.Chain)
		f.key("seq")
		f.dst = strconv.AppendUint(f.dst, l.Follows.Seq, 10)
		f.text("hash", l.Follows.Hash)
		o.dst = append(f.dst, '}')
	}
	o.optional("torn", l.Torn)
	o.optional("end", l.End)
	o.optional("key", l.Key)
	return append(o.dst, '}')
}

// appendLinked appends the record line with the link in it. sign is nil except
// for a checkpoint.
func appendLinked(dst, line []byte, l *Link, sign Signer) []byte {
	if sign != nil {
		// The id of the key is part of what is signed.
		l.Key, _ = sign(nil)
	}
	start := len(dst)
	before, after, more := cutForLink(line)
	dst = append(dst, before...)
	if !more {
		dst = append(dst, `,"additionalEventData":{`...)
	}
	dst = l.append(dst)
	end := len(dst) - 1 // of the link's last member
	switch {
	case !more:
		dst = append(dst, '}')
	case after[0] != '}':
		dst = append(dst, ',')
	}
	dst = append(dst, after...)
	if sign == nil {
		return dst
	}
	_, signature := sign(append([]byte(checkpointDomain), dst[start:]...))
	text := `,"signature":"` + base64.RawURLEncoding.EncodeToString(signature) + `"`
	tail := append([]byte(nil), dst[end:]...)
	return append(append(dst[:end], text...), tail...)
}

var (
	dataMember = []byte(`,"additionalEventData":{`)
	idMember   = []byte(`,"eventID":"`)
)

// cutForLink cuts a record where its link goes. more says that this is within
// the record's additionalEventData. No text from a client looks like a member:
// quotes within texts are escaped.
func cutForLink(line []byte) (before, after []byte, more bool) {
	if i := bytes.Index(line, dataMember); i >= 0 {
		i += len(dataMember)
		return line[:i], line[i:], true
	}
	if i := bytes.LastIndex(line, idMember); i >= 0 {
		return line[:i], line[i:], false
	}
	end := len(line) - 1
	return line[:end], line[end:], false
}

// chained holds the parts of a line that its chain needs.
type chained struct {
	EventTime           time.Time
	EventName           string
	AdditionalEventData struct{ Trail *Link }
}

// parseLink returns the link of a line. object says whether the line is one of
// JSON at all.
func parseLink(line []byte) (c chained, object bool) {
	if len(line) == 0 || line[0] != '{' || line[len(line)-1] != '}' {
		return c, false
	}
	err := json.Unmarshal(line, &c)
	if l := c.AdditionalEventData.Trail; l != nil && (l.Chain == "" || l.Seq == 0) {
		c.AdditionalEventData.Trail = nil
	}
	return c, err == nil
}

// signedText returns the text that the signature of a checkpoint covers, and the
// signature.
func signedText(line []byte, l *Link) (message, signature []byte, ok bool) {
	member := []byte(`,"signature":"` + l.Signature + `"`)
	before, after, found := bytes.Cut(line, member)
	signature, err := base64.RawURLEncoding.DecodeString(l.Signature)
	if !found || err != nil {
		return nil, nil, false
	}
	message = append([]byte(checkpointDomain), before...)
	return append(message, after...), signature, true
}
