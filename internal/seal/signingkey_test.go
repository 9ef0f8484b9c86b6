package seal

import (
	"bytes"
	"crypto/ed25519"
	"testing"
)

// The signing keys belong to the data keys of rows: they stay when the master
// key is replaced, and each new data key brings another one.
func TestSigningKeys(t *testing.T) {
	m := InMemoryMasterKeys()
	first := mustDataKey(t, m)
	r := mustKeyring(t, m, first)
	public, signature := r.Sign([]byte("message"))
	if !ed25519.Verify(public, []byte("message"), signature) {
		t.Error("the signature does not verify")
	}
	tokens, err := NewDataKey(m, Tokens)
	if err != nil {
		t.Fatal(err)
	}
	second := mustDataKey(t, m)
	if err := r.Load([]WrappedKey{first, tokens, second}); err != nil {
		t.Fatal(err)
	}
	all := r.PublicKeys()
	next, _ := r.Sign(nil)
	if len(all) != 2 || !bytes.Equal(all[0], public) || !bytes.Equal(all[1], next) || bytes.Equal(public, next) {
		t.Errorf("%x, then %x of %x", public, next, all)
	}
}
