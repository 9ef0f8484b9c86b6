package identity

import (
	"crypto/ed25519"

	"rollcall/internal/trail"
)

// SignTrail signs a checkpoint of the trail; see trail.Signer.
func (s *Service) SignTrail(message []byte) (key string, signature []byte) {
	public, signature := s.keys.Sign(message)
	return trail.KeyID(public), signature
}

// TrailKeys returns the public keys that checkpoints of the trail may be signed
// with, the oldest first.
func (s *Service) TrailKeys() []ed25519.PublicKey { return s.keys.PublicKeys() }

// TrailMAC proves the head of the trail; see trail.MAC.
func (s *Service) TrailMAC(purpose string, data []byte) []byte { return s.keys.MAC(purpose, data) }
