package identity

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/klauspost/compress/zstd"

	"rollcall/internal/store"
)

// A report is compressed in pieces. As many pieces as fit are stored in one
// chunk, because each row costs a statement, a key and a check of the account.
// A reader holds one piece and two packed chunks: the chunk that its pieces
// come from, and the next.
const (
	// reportPiece is the largest number of bytes of a report that are compressed
	// together. A piece ends with a row.
	reportPiece = 32 << 10
	// reportPacked is the maximum number of compressed bytes in a chunk.
	reportPacked = 64 << 10
)

// packPieces compresses a part of a report in independent pieces. It reuses the
// memory of the previous part's chunks.
func packPieces(pack *zstd.Encoder, part []byte, last []store.ReportChunk) []store.ReportChunk {
	chunks := last[:0]
	var packed, piece []byte
	for len(part) > 0 {
		piece, part = nextPiece(part)
		packed = pack.EncodeAll(piece, packed[:0])
		n := len(chunks) - 1
		if n < 0 || len(chunks[n].Data)+len(packed) > reportPacked {
			n++
			chunks = append(chunks, store.ReportChunk{})
			if n < len(last) {
				chunks[n].Data, chunks[n].Pieces = last[n].Data[:0], last[n].Pieces[:0]
			}
		}
		chunks[n].Size += len(piece)
		chunks[n].Pieces = appendPlace(chunks[n].Pieces, len(packed), firstUser(piece))
		chunks[n].Data = append(chunks[n].Data, packed...)
	}
	return chunks
}

// nextPiece divides a part after as many whole rows as fit into a piece. Each
// row begins with its line end.
func nextPiece(part []byte) (piece, rest []byte) {
	if len(part) <= reportPiece {
		return part, nil
	}
	if end := bytes.LastIndexByte(part[:reportPiece], '\n'); end > 0 {
		return part[:end], part[end:]
	}
	return part[:reportPiece], part[reportPiece:] // no row is that long
}

var errFrameCut = errors.New("zstd: the frame is cut short")

// cutPiece splits a chunk into its first piece and the rest. A piece is a zstd
// frame: a header, blocks, and a checksum (RFC 8878, 3.1.1).
func cutPiece(chunk []byte) (piece, rest []byte, err error) {
	var header zstd.Header
	if err := header.Decode(chunk); err != nil {
		return nil, nil, fmt.Errorf("zstd: frame header: %w", err)
	}
	end := header.HeaderSize
	for last := false; !last; {
		if len(chunk) < end+4 {
			return nil, nil, errFrameCut
		}
		// Three bytes contain whether the block is the last, its type and its
		// size. A block of type 1 is one byte that is repeated.
		block := binary.LittleEndian.Uint32(chunk[end:]) & (1<<24 - 1)
		last = block&1 == 1
		end += 3
		if block>>1&3 == 1 {
			end++
		} else {
			end += int(block >> 3)
		}
	}
	if header.HasCheckSum {
		end += 4
	}
	if len(chunk) < end {
		return nil, nil, errFrameCut
	}
	return chunk[:end], chunk[end:], nil
}
