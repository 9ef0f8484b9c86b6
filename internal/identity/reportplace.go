package identity

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"rollcall/internal/store"
	"rollcall/report"
)

// piecePlace is the place of a piece of a base, with the first user of the
// piece.
type piecePlace struct {
	store.ReportPlace
	first string // a folded name
}

// appendPlace adds a piece to the stored list of a chunk's pieces: its packed
// size, and the length and the name of its first user.
func appendPlace(dst []byte, packed int, first string) []byte {
	dst = binary.AppendUvarint(dst, uint64(packed))
	dst = binary.AppendUvarint(dst, uint64(len(first)))
	return append(dst, first...)
}

var errPlaces = errors.New("the places of a report's pieces are damaged")

// readPlaces reads the lists that appendPlace has written, one for each chunk.
// There are thousands of pieces, so all names of a chunk share one string.
func readPlaces(chunks [][]byte) ([]piecePlace, error) {
	all := make([]piecePlace, 0, 32*len(chunks))
	for seq, text := range chunks {
		names, at := string(text), 0
		for i := 0; i < len(text); {
			packed, n := binary.Uvarint(text[i:])
			if n <= 0 {
				return nil, errPlaces
			}
			length, m := binary.Uvarint(text[i+n:])
			if i += n + m; m <= 0 || length > uint64(len(text)-i) {
				return nil, errPlaces
			}
			first := names[i : i+int(length)]
			i += int(length)
			all = append(all, piecePlace{store.ReportPlace{Chunk: int64(seq), At: at, Size: int(packed)}, first})
			at += int(packed)
		}
	}
	return all, nil
}

// pieceOf is a piece with the users whose rows it contains. A user without a
// row belongs to the piece in which the row would be.
type pieceOf struct {
	piecePlace
	users []string
}

// piecesOf returns the pieces of some users. The users are in order.
func piecesOf(all []piecePlace, users []string) (pieces []pieceOf) {
	for _, u := range users {
		i, exact := slices.BinarySearchFunc(all, u, func(p piecePlace, u string) int { return strings.Compare(p.first, u) })
		if !exact {
			i--
		}
		if i < 0 {
			continue // before the first row
		}
		if n := len(pieces); n == 0 || pieces[n-1].ReportPlace != all[i].ReportPlace {
			pieces = append(pieces, pieceOf{piecePlace: all[i]})
		}
		last := &pieces[len(pieces)-1]
		last.users = append(last.users, u)
	}
	return pieces
}

// rowOf finds the row of a user among rows, each of which begins with its line
// end. The rows are in the order of their users' folded names. rowOf uses the
// memory of buf for names.
func rowOf(rows []byte, user string, buf []byte) (row []byte, found bool) {
	for len(rows) > 0 {
		at := bytes.LastIndexByte(rows[:len(rows)/2+1], '\n')
		row, rest := cutRow(rows[at:])
		switch buf = userOf(row, buf); strings.Compare(string(buf), user) {
		case 0:
			return row, true
		case 1:
			rows = rows[:at]
		default:
			rows = rest
		}
	}
	return nil, false
}

// firstUser returns the folded name of the first row of a piece. It returns "",
// which sorts before all users, for the piece that begins with the header.
func firstUser(piece []byte) string {
	if len(piece) == 0 || piece[0] != '\n' {
		return ""
	}
	return string(userOf(piece[1:], nil))
}

// userOf returns the folded name of the user of a row, "" for root. It uses the
// memory of buf.
func userOf(row, buf []byte) []byte {
	cell := row
	if len(row) > 0 && row[0] == '"' { // a name with a comma; none has a quote
		cell = row[1:]
		if end := bytes.IndexByte(cell, '"'); end >= 0 {
			cell = cell[:end]
		}
	} else if end := bytes.IndexByte(row, ','); end >= 0 {
		cell = row[:end]
	}
	if string(cell) == report.RootUser {
		return buf[:0]
	}
	buf = append(buf[:0], cell...)
	for i, c := range buf {
		if 'A' <= c && c <= 'Z' {
			buf[i] = c + 'a' - 'A'
		}
	}
	return buf
}

// cutRow splits rows, each of which begins with its line end, into the first
// row without its line end and the rest.
func cutRow(piece []byte) (row, rest []byte) {
	piece = piece[1:]
	if end := bytes.IndexByte(piece, '\n'); end >= 0 {
		return piece[:end], piece[end:]
	}
	return piece, nil
}

// rowsOfPiece returns the rows of a piece, each with its line end, without the
// header.
func rowsOfPiece(piece []byte) []byte {
	if at := bytes.IndexByte(piece, '\n'); at >= 0 {
		return piece[at:]
	}
	return nil
}
