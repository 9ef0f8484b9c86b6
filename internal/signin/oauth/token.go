package oauth

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"rollcall/internal/api"
	"rollcall/internal/lazyregexp"
	"rollcall/internal/principal"
	"rollcall/internal/store"
)

// TokenRequest is the body of a request for credentials.
type TokenRequest struct {
	ClientID     string `json:"clientId"`
	GrantType    string `json:"grantType"`
	Code         string `json:"code"`
	CodeVerifier string `json:"codeVerifier"`
	RedirectURI  string `json:"redirectUri"`
	RefreshToken string `json:"refreshToken"`
}

// Tokens is the answer.
type Tokens struct {
	AccessToken  AccessToken `json:"accessToken"`
	TokenType    string      `json:"tokenType"`
	ExpiresIn    int         `json:"expiresIn"`
	RefreshToken string      `json:"refreshToken"`
	IDToken      string      `json:"idToken,omitempty"` // only in the answer to a code
}

// AccessToken holds the credentials.
type AccessToken struct {
	AccessKeyID     string `json:"accessKeyId"`
	SecretAccessKey string `json:"secretAccessKey"`
	SessionToken    string `json:"sessionToken"`
}

var verifier = lazyregexp.New(`^[A-Za-z0-9._~-]{43,128}$`)

// shown is the session that a client has presented a token of.
type shown struct {
	tool   store.ToolSession
	holds  *principal.Tool
	caller principal.Caller
	proof  proof
	code   bool // the token is a code and not a refresh token
	family string
	// generation is the generation of the refresh token.
	generation int64
}

// Token returns credentials for a code or a refresh token. dpop is the value of
// the DPoP header. The error is a *Failure.
func (s *Service) Token(ctx context.Context, call api.Call, in TokenRequest, dpop string, ours Origin) (
	*Tokens, error) {
	out, err := s.token(ctx, call, in, dpop, ours)
	if err != nil {
		return nil, s.failure(ctx, err)
	}
	return out, nil
}

func (s *Service) token(ctx context.Context, call api.Call, in TokenRequest, dpop string, ours Origin) (
	*Tokens, error) {
	if in.ClientID != sameDevice && in.ClientID != crossDevice {
		return nil, invalid("The client is unknown.")
	}
	p, err := checkProof(dpop, ours, s.db.Now())
	if err != nil {
		return nil, errDPoP
	}
	var sh *shown
	switch in.GrantType {
	case "authorization_code":
		sh, err = s.byCode(ctx, in)
	case "refresh_token":
		sh, err = s.byRefresh(ctx, in)
	default:
		err = invalid("The grant type must be authorization_code or refresh_token.")
	}
	if err != nil {
		return nil, err
	}
	sh.proof = p
	return s.give(ctx, call, sh, in)
}

// byCode finds the session of a code.
func (s *Service) byCode(ctx context.Context, in TokenRequest) (*shown, error) {
	if in.Code == "" || len(in.Code) > 512 || len(in.RedirectURI) > 2048 || !verifier.MatchString(in.CodeVerifier) {
		return nil, invalid("The code, its verifier or the redirect URI is missing or malformed.")
	}
	proof, err := s.db.ToolByCode(ctx, in.Code)
	return s.read(proof, err, &shown{code: true, family: s.iam.ToolToken("family", in.Code)})
}

// byRefresh finds the session of a refresh token.
func (s *Service) byRefresh(ctx context.Context, in TokenRequest) (*shown, error) {
	token, ours := strings.CutPrefix(in.RefreshToken, tokenMark)
	part := strings.Split(token, ".")
	if len(in.RefreshToken) > 2048 || !ours || len(part) != 3 {
		return nil, errGrant
	}
	generation, err := strconv.ParseInt(part[1], 10, 64)
	if err != nil || !hmac.Equal([]byte(in.RefreshToken), []byte(s.refreshToken(part[0], generation))) {
		return nil, errGrant
	}
	proof, err := s.db.ToolByToken(ctx, part[0])
	return s.read(proof, err, &shown{family: part[0], generation: generation})
}

func (s *Service) read(proof store.ToolProof, err error, sh *shown) (*shown, error) {
	if errors.Is(err, store.ErrNotFound) {
		return nil, errGrant
	}
	if err != nil {
		return nil, err
	}
	sh.tool = *proof.Session()
	sh.holds, sh.caller, err = principal.ReadTool(proof)
	return sh, err
}

// tokenMark begins all refresh tokens. Package fleet uses it to distinguish
// them from AWS's.
const tokenMark = "rollcall."

// refreshToken returns the refresh token of a generation.
func (s *Service) refreshToken(family string, generation int64) string {
	n := strconv.FormatInt(generation, 10)
	return tokenMark + family + "." + n + "." + s.iam.ToolToken("refresh", family, n)
}

// give decides, records, and creates the credentials.
func (s *Service) give(ctx context.Context, call api.Call, sh *shown, in TokenRequest) (*Tokens, error) {
	permitted := s.permit(ctx, call, sh)
	var generation int64
	made := func(failed error) record { return created(sh.caller, sh.holds.Client, failed) }
	err := s.api.SignIn(store.OnAccount(ctx, sh.tool.Account), call, made, func(ctx context.Context) error {
		err := s.db.Update(ctx, func(tx *store.Tx) (err error) {
			generation, err = s.take(tx, sh, in, permitted)
			return err
		})
		if errors.Is(err, errMisused) {
			return s.end(ctx, sh)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.tokens(sh, generation)
}

// permit says whether policies allow the caller to get credentials, and finds
// the present name of the caller.
func (s *Service) permit(ctx context.Context, call api.Call, sh *shown) error {
	c, err := s.api.Permit(ctx, sh.caller, "signin", "CreateOAuth2Token", resource(sh.caller, sh.holds.Client), call)
	sh.caller = c
	return err
}

// errMisused says that a session must end.
var errMisused = errors.New("a code or a refresh token was used twice")

// end ends a misused session. The change has no record of its own. The record of
// the refusal mentions it.
func (s *Service) end(ctx context.Context, sh *shown) error {
	s.log.WarnContext(ctx, "the session of a tool ends, because a code or a refresh token of it came again", "account",
		sh.tool.Account, "session", sh.tool.ID)
	err := s.db.Update(store.WithoutEvent(ctx), func(tx *store.Tx) error {
		return tx.EndTool(sh.tool.Account, sh.tool.ID, store.ToolMisused)
	})
	if err != nil {
		return err
	}
	return errGrant
}

// take decides within a transaction. It returns the generation of the next
// refresh token.
func (s *Service) take(tx *store.Tx, sh *shown, in TokenRequest, permitted error) (generation int64, err error) {
	now, err := tx.Tool(sh.tool.Account, sh.tool.ID)
	if errors.Is(err, store.ErrNotFound) {
		return 0, errGrant
	}
	if err != nil {
		return 0, err
	}
	if err := s.check(&now, sh, in, tx.Now); err != nil {
		return 0, err
	}
	err = tx.ShowProof(now.Account, store.TokenID(sh.proof.key+" "+sh.proof.id))
	if errors.Is(err, store.ErrExists) {
		return 0, errDPoP
	}
	if err != nil {
		return 0, err
	}
	switch {
	case sh.code && now.Generation > 0,
		!sh.code && sh.generation < now.Generation-1,
		!sh.code && sh.generation == now.Generation-1 && tx.Now.Sub(now.Renewed) >= refreshGrace:
		return 0, errMisused
	case sh.generation > now.Generation: // the database was restored from an earlier state
		return 0, errGrant
	case permitted != nil:
		return 0, permitted
	}
	wait, err := tx.TryAt(s.iam.Place("refresh", now.ID), refreshPause)
	switch {
	case err != nil:
		return 0, err
	case wait > 0:
		return 0, Paused(wait)
	case !sh.code && sh.generation < now.Generation:
		return now.Generation, nil // the answer was lost, or another process was faster
	}
	return now.Generation + 1, tx.RenewTool(now.Account, now.ID, sh.proof.key)
}

// check compares the presented token with the present session.
func (s *Service) check(now *store.ToolSession, sh *shown, in TokenRequest, at time.Time) error {
	challenge := sha256.Sum256([]byte(in.CodeVerifier))
	spent := now.Generation > 0
	switch {
	case in.ClientID != sh.holds.Client:
		return errGrant
	case now.Ended == store.ToolChanged:
		return errChanged
	case now.Ended == store.ToolRevoked:
		return errTokenExpired
	case now.Ended != "":
		return errGrant
	case at.Before(now.Created.Add(-store.ClockSkew)), !at.Before(now.Expires):
		return errTokenExpired
	case sh.code && spent:
		return nil // any holder may use it here: see take
	case sh.code && !at.Before(now.Created.Add(CodeLife)):
		return errCodeExpired
	case sh.code && (in.RedirectURI != sh.holds.Redirect ||
		!hmac.Equal([]byte(sh.holds.Challenge), []byte(base64.RawURLEncoding.EncodeToString(challenge[:])))):
		return errGrant
	case !sh.code && (!spent || sh.proof.key != now.ProofKey):
		return errGrant
	}
	return nil
}

// tokens creates the answer.
func (s *Service) tokens(sh *shown, generation int64) (*Tokens, error) {
	session := sh.holds.As.Session
	session.Tool = sh.tool.Account + "/" + sh.tool.ID
	session.Issued = s.db.Now().UTC().Truncate(time.Second)
	if end := session.Issued.Add(credentialLife); end.Before(sh.tool.Expires) {
		session.Expires = end
	} else {
		session.Expires = sh.tool.Expires
	}
	c, err := s.iam.NewSession(sh.caller.Owner(), session, 0)
	if err != nil {
		return nil, err
	}
	out := &Tokens{
		AccessToken: AccessToken{c.AccessKeyID, c.Secret.Reveal(), c.Token.Reveal()}, TokenType: "aws_sigv4",
		ExpiresIn:    int(session.Expires.Sub(session.Issued) / time.Second),
		RefreshToken: s.refreshToken(sh.family, generation),
	}
	if sh.code {
		out.IDToken, err = s.idToken(sh, session)
	}
	return out, err
}

// idToken returns a token that tells the tool who signed in. Only this tool
// believes it, because it is signed with a random key that is not published.
func (s *Service) idToken(sh *shown, session principal.Session) (string, error) {
	key := jose.SigningKey{Algorithm: jose.HS256, Key: []byte(s.iam.ToolToken("key of id tokens"))}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", err
	}
	return jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: "rollcall", Subject: sh.caller.ARN(), Audience: jwt.Audience{sh.holds.Client},
		IssuedAt: jwt.NewNumericDate(session.Issued), Expiry: jwt.NewNumericDate(session.Expires),
	}).Serialize()
}
