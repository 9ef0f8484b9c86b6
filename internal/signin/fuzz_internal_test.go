package signin

import (
	"errors"
	"testing"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// FuzzPasskeyAnswers reads any data that a browser may send for a passkey: for a
// new one, and as the answer to a challenge. Unsigned data is never accepted,
// and refusals have our own words.
func FuzzPasskeyAnswers(f *testing.F) {
	w, err := relyingParty("http://localhost:8585")
	if err != nil {
		f.Fatal(err)
	}
	s := &Service{passkeys: w}
	user := &passkeyUser{id: []byte("user"), name: "bob", credentials: []webauthn.Credential{
		{ID: []byte("credential"), PublicKey: []byte{0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x40, 0x22, 0x40}},
	}}
	_, registration, err := w.BeginRegistration(user)
	if err != nil {
		f.Fatal(err)
	}
	registration.Challenge = "Y2hhbGxlbmdl"
	_, login, err := w.BeginLogin(user)
	if err != nil {
		f.Fatal(err)
	}
	login.Challenge = "Y2hhbGxlbmdl"
	const (
		id      = `"id":"Y3JlZGVudGlhbA","rawId":"Y3JlZGVudGlhbA","type":"public-key","response":`
		rest    = `b3JpZ2luIjoiaHR0cDovL2xvY2FsaG9zdDo4NTg1In0"`
		created = `"eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiWTJoaGJHeGxibWRsIiwi` + rest
		got     = `"eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiWTJoaGJHeGxibWRsIiwi` + rest
		data    = `"SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAA"`
	)
	for _, text := range []string{
		"", "null", "[]", "{}", `{"id":""}`,
		`{` + id + `{"clientDataJSON":` + created + `,"attestationObject":"o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YUA"}}`,
		`{` + id + `{"clientDataJSON":` + got + `,"authenticatorData":` + data + `,"signature":"MEQ","userHandle":"dXNlcg"}}`,
		`{` + id + `{"clientDataJSON":"e30","authenticatorData":"","signature":"","userHandle":null}}`,
		`{` + id + `{"clientDataJSON":"` + "\x00" + `"}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, answer []byte) {
		var refused *Refusal
		if p, err := s.attested(*registration, answer); err != nil && !errors.As(err, &refused) {
			t.Errorf("%q: %v", answer, err)
		} else if err == nil && len(p.CredentialID) == 0 {
			t.Errorf("%q is a passkey without an id", answer)
		}
		parsed, err := protocol.ParseCredentialRequestResponseBytes(answer)
		if err != nil {
			return
		}
		if c, err := s.passkeys.ValidateLogin(user, *login, parsed); err == nil {
			t.Errorf("%q lets %+v in", answer, c)
		}
	})
}
