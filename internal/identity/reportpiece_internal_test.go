package identity

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"

	"rollcall/internal/store"
)

// Chunks return the packed data, piece by piece. Neither a chunk nor a piece is
// larger than a reader may hold.
func TestPieces(t *testing.T) {
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		t.Fatal(err)
	}
	defer pack.Close()
	unpack, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer unpack.Close()
	noise := make([]byte, 5*reportPiece/2)
	random := rand.NewChaCha8([32]byte{})
	if _, err := random.Read(noise); err != nil {
		t.Fatal(err)
	}
	text := bytes.Repeat([]byte("bill,arn:aws:iam::123456789012:user/bill,"), 10*reportPiece/40)
	var chunks []store.ReportChunk
	for _, part := range []struct {
		name string
		text []byte
	}{
		{"one byte", []byte("a")},
		{"text", text},
		{"noise", noise},
		{"a byte again and again", make([]byte, 3*reportPiece)},
		{"all of it", bytes.Join([][]byte{text, noise, text}, nil)},
		{"text again", text},
	} {
		chunks = packPieces(pack, part.text, chunks)
		var got []byte
		for _, c := range chunks {
			before := len(got)
			if len(c.Data) > reportPacked {
				t.Errorf("%s: a chunk of %d bytes", part.name, len(c.Data))
			}
			for rest := c.Data; len(rest) > 0; {
				var piece []byte
				if piece, rest, err = cutPiece(rest); err != nil {
					t.Fatalf("%s: %v", part.name, err)
				}
				plain, err := unpack.DecodeAll(piece, nil)
				if err != nil || len(plain) > reportPiece {
					t.Fatalf("%s: a piece of %d bytes, %v", part.name, len(plain), err)
				}
				got = append(got, plain...)
			}
			if len(got)-before != c.Size {
				t.Errorf("%s: a chunk of size %d holds %d bytes", part.name, c.Size, len(got)-before)
			}
		}
		if !bytes.Equal(got, part.text) {
			t.Errorf("%s: unpacking returns other bytes", part.name)
		}
	}
	if len(chunks) != 1 {
		t.Errorf("ten pieces of little text are in %d chunks", len(chunks))
	}
	chunk, whole := chunks[0].Data, map[int]bool{}
	for rest := chunk; len(rest) > 0; {
		if _, rest, err = cutPiece(rest); err != nil {
			t.Fatal(err)
		}
		whole[len(chunk)-len(rest)] = true
	}
	for n := 1; n < len(chunk); n++ {
		rest, err := chunk[:n], error(nil)
		for len(rest) > 0 && err == nil {
			_, rest, err = cutPiece(rest)
		}
		if (err == nil) != whole[n] {
			t.Errorf("a chunk cut short after %d of %d bytes: %v", n, len(chunk), err)
		}
	}
}

func FuzzCutPiece(f *testing.F) {
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest))
	if err != nil {
		f.Fatal(err)
	}
	defer pack.Close()
	f.Add(pack.EncodeAll(pack.EncodeAll([]byte("bill,bill,bill"), nil), nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		piece, rest, err := cutPiece(data)
		if err == nil && (len(piece) == 0 || len(piece)+len(rest) != len(data)) {
			t.Errorf("%d bytes are cut into %d and %d", len(data), len(piece), len(rest))
		}
	})
}
