package store

import (
	"context"
	"time"
)

// ToolSession is the session of a developer tool, granted by a person who
// signed in.
type ToolSession struct {
	Account string
	// NameKey is the user who signed in, empty for root. It is ignored if
	// Federated is set: that sign-in belongs to no user.
	NameKey   string
	ID        string // its name for the owner, and in the credentials that it gets
	Federated bool
	CodeID    string // TokenID of the code that the tool exchanges once
	TokenID   string // TokenID of the common prefix of its refresh tokens
	Session   string // the handle of the session that granted it
	State     []byte // see principal.Tool
	ProofKey  string // the thumbprint of the tool's key, "" before it is known
	// Generation counts the refresh tokens: 0 before the code is exchanged.
	Generation int64
	Address    string // the address and the client that granted it
	UserAgent  string
	Created    time.Time
	Renewed    time.Time // when the last refresh token was created
	Expires    time.Time
	Ended      string // the reason why it has ended, "" while it is open
}

// The reasons why a tool's session has ended.
const (
	ToolRevoked = "revoked" // by its owner
	ToolMisused = "misused" // a code or a refresh token was used twice
	ToolChanged = "changed" // the password has changed
)

const toolColumns = `account, COALESCE(name_key, ''), tool_id, CASE WHEN name_key IS NULL THEN 1 ELSE 0 END, code_id,
	token_id, session, state, proof_key, generation, address, user_agent, created, renewed, expires, ended`

func toolFields(s *ToolSession) []any {
	return []any{&s.Account, &s.NameKey, &s.ID, &s.Federated, &s.CodeID, &s.TokenID, &s.Session, &s.State, &s.ProofKey,
		&s.Generation, &s.Address, &s.UserAgent, &s.Created, &s.Renewed, &s.Expires, &s.Ended}
}

// toolsPerUser limits the tools' sessions that a user has at the same time.
const toolsPerUser = 100

// InsertTool adds the session of a tool. If there are too many, the oldest is
// deleted.
func (tx *Tx) InsertTool(s ToolSession) error {
	err := tx.insert(`INSERT INTO tool_sessions (account, name_key, tool_id, code_id, token_id, session, state, proof_key,
		generation, address, user_agent, created, renewed, expires, ended)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) ON CONFLICT DO NOTHING`,
		s.Account, userOrNull(s.NameKey, s.Federated), s.ID, s.CodeID, s.TokenID, s.Session, s.State, s.ProofKey,
		s.Generation, s.Address, s.UserAgent, s.Created, s.Renewed, s.Expires, s.Ended)
	if err != nil {
		return err
	}
	if s.Federated {
		_, err = tx.exec(`DELETE FROM tool_sessions WHERE account = $1 AND name_key IS NULL AND tool_id IN (
			SELECT tool_id FROM tool_sessions WHERE account = $1 AND name_key IS NULL AND tool_id <> $2
			ORDER BY created DESC, tool_id LIMIT 1000000 OFFSET $3)`, s.Account, s.ID, federatedPeople-1)
		return err
	}
	_, err = tx.exec(`DELETE FROM tool_sessions WHERE account = $1 AND name_key = $2 AND tool_id IN (
		SELECT tool_id FROM tool_sessions WHERE account = $1 AND name_key = $2 AND tool_id <> $3
		ORDER BY created DESC, tool_id LIMIT 1000000 OFFSET $4)`, s.Account, s.NameKey, s.ID, toolsPerUser-1)
	return err
}

// Tool reads the session of a tool, or ErrNotFound.
func (tx *Tx) Tool(account, id string) (s ToolSession, err error) {
	err = tx.one(toolFields(&s), `SELECT `+toolColumns+` FROM tool_sessions WHERE account = $1 AND tool_id = $2`,
		account, id)
	return s, err
}

// UserTools reads the sessions of tools that a user granted, the newest first.
func (tx *Tx) UserTools(account, nameKey string) ([]ToolSession, error) {
	return list(tx, toolFields, `SELECT `+toolColumns+` FROM tool_sessions
		WHERE account = $1 AND name_key = $2 ORDER BY created DESC, tool_id`, account, nameKey)
}

// RenewTool counts another refresh token of a tool's session, and sets the key
// that it has from then on.
func (tx *Tx) RenewTool(account, id, proofKey string) error {
	return tx.change(`UPDATE tool_sessions SET generation = generation + 1, renewed = $1, proof_key = $2
		WHERE account = $3 AND tool_id = $4`, tx.Now, proofKey, account, id)
}

// EndTool ends a tool's session. A later caller with one of its tokens gets the
// reason, until the time when it would have ended anyway.
func (tx *Tx) EndTool(account, id, why string) error {
	_, err := tx.exec(`UPDATE tool_sessions SET ended = $1 WHERE account = $2 AND tool_id = $3 AND ended = ''`, why,
		account, id)
	return err
}

// EndUserTool ends the session of a tool that a user granted, or those that the
// user's session with the handle granted. It returns whether there were any.
func (tx *Tx) EndUserTool(account, nameKey, handle string) (bool, error) {
	n, err := tx.exec(`UPDATE tool_sessions SET ended = $1 WHERE account = $2 AND name_key = $3 AND
		(tool_id = $4 OR session = $4) AND ended = ''`, ToolRevoked, account, nameKey, handle)
	return n > 0, err
}

// endUserTools ends all tools' sessions of a user whose password has changed.
func (tx *Tx) endUserTools(account, nameKey string) error {
	_, err := tx.exec(`UPDATE tool_sessions SET ended = $1 WHERE account = $2 AND name_key = $3 AND ended = ''`,
		ToolChanged, account, nameKey)
	return err
}

// ShowProof stores that a proof of possession was used. ErrExists: it was used
// before.
func (tx *Tx) ShowProof(account, id string) error {
	return tx.insert(`INSERT INTO tool_proofs (account, proof_id, shown) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
		account, id, tx.Now)
}

// ToolProof proves that a caller showed the code or a refresh token of a tool's
// session. Only ToolByCode and ToolByToken return one.
type ToolProof struct{ session *ToolSession }

// Session returns the session. Callers must not change it. It may have ended.
func (p ToolProof) Session() *ToolSession { return p.session }

// ToolByCode finds the session of a code, used or not, or returns ErrNotFound.
func (db *DB) ToolByCode(ctx context.Context, code string) (ToolProof, error) {
	return db.tool(ctx, `code_id`, code)
}

// ToolByToken finds the session by the prefix of its refresh tokens, or returns
// ErrNotFound.
func (db *DB) ToolByToken(ctx context.Context, token string) (ToolProof, error) {
	return db.tool(ctx, `token_id`, token)
}

func (db *DB) tool(ctx context.Context, column, token string) (ToolProof, error) {
	var s ToolSession
	err := db.Glance(ctx, func(tx *Tx) error {
		return tx.one(toolFields(&s), `SELECT `+toolColumns+` FROM tool_sessions WHERE `+column+` = $1`, TokenID(token))
	})
	if err != nil {
		return ToolProof{}, err
	}
	return ToolProof{&s}, nil
}

// ToolOpen says whether the session of a tool is open.
func (db *DB) ToolOpen(ctx context.Context, account, id string) (open bool, err error) {
	var n int
	err = db.Glance(ctx, func(tx *Tx) error {
		return tx.one([]any{&n}, `SELECT COUNT(*) FROM tool_sessions WHERE account = $1 AND tool_id = $2 AND ended = ''`,
			account, id)
	})
	return n > 0, err
}
